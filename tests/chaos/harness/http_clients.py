"""Clients over HTTP: they change what is their own, repeat what they do not know, and check what they read."""

import asyncio
import itertools
from collections.abc import Iterator
from random import Random
from typing import Any
from uuid import uuid5

import httpx

from pipeloom.demo.source import FUNCTION_NAME, FUNCTION_PATH, INPUTS
from services.command.submit import IDEMPOTENCY
from tests.chaos.harness.doors import Doors, code_of, details_of
from tests.chaos.harness.history import Asked, History, Told

PAUSE_S = 0.02
NOBODY_KNOWS = {502, 503, 504}
BASE_STEP = "base"
# How often one waits for its result.
PATIENCE = 0.95
# How often each kind comes, in a hundred.
WEIGHTS = {
    "create a pipeline": 46,
    "delete a pipeline": 10,
    "delete a pipeline by force": 4,
    "create an endpoint": 12,
    "delete an endpoint": 4,
    "create on an absent step": 5,
    "set a variable": 4,
    "create a step": 1,
    "repeat": 4,
    "another body under the same key": 3,
    "list": 4,
    "ask for a result": 3,
}


class HttpClient:
    """One client with names that nobody else uses."""

    def __init__(
        self, name: str, environment: str, doors: Doors, history: History, random: Random, repository: str
    ) -> None:
        self._name = f"{environment}-{name}"
        self._environment = environment
        self._doors = doors
        self._history = history
        self._random = random
        self._repository = repository
        self._numbers = itertools.count()
        self._pipelines: list[str] = []
        self._endpoints: list[str] = []
        self._mine: list[Asked] = []

    async def run(self, stop: asyncio.Event) -> None:
        """Ask one thing after the other until `stop` is set."""
        for kind in self._kinds():
            if stop.is_set():
                return
            await self._do(kind, stop)
            await asyncio.sleep(PAUSE_S)

    async def settle(self, asked: Asked) -> bool:
        """Ask once more under the same key; return whether there is a definite answer now, which must never change."""
        before = asked.told
        told, answer = await self._tell(asked)
        if answer is None or told is Told.UNKNOWN:
            return False
        if before is Told.UNKNOWN or before is Told.ACCEPTED:
            _keep(asked, told, answer)
        elif not _is_same(asked, answer):
            now = f"{answer.status_code} {answer.text[:200]}"
            self._history.complain(f"{asked.command_id} was answered {asked.status} {asked.code}, and again: {now}")
        return True

    def _kinds(self) -> Iterator[str]:
        while True:
            yield from self._random.choices(list(WEIGHTS), list(WEIGHTS.values()), k=100)

    async def _do(self, kind: str, stop: asyncio.Event) -> None:
        match kind:
            case "repeat":
                if self._mine:
                    await self.settle(self._random.choice(self._mine[-50:]))
            case "another body under the same key":
                if self._mine:
                    await self._reuse(self._random.choice(self._mine[-50:]))
            case "list":
                await self._list()
            case "ask for a result":
                if self._mine:
                    await self._look(self._random.choice(self._mine[-50:]))
            case _:
                await self._ask(*self._wanted(kind), stop)

    def _wanted(self, kind: str) -> tuple[str, str, dict[str, Any] | None]:
        """Return method, path and body of a command of that kind."""
        name = f"{self._name}-{next(self._numbers)}"
        match kind:
            case "create an endpoint" if self._pipelines:
                self._endpoints.append(name)
                return "POST", "/endpoints", {"name": name, "pipeline_name": self._random.choice(self._pipelines)}
            case "delete a pipeline" if self._pipelines:
                return "DELETE", f"/pipelines/{self._random.choice(self._pipelines)}", None
            case "delete a pipeline by force" if self._pipelines:
                gone = self._pipelines.pop(self._random.randrange(len(self._pipelines)))
                return "DELETE", f"/pipelines/{gone}?force_deployments_deletion=true", None
            case "delete an endpoint" if self._endpoints:
                return "DELETE", f"/deployments/{self._endpoints.pop()}", None
            case "create on an absent step":
                return "POST", "/pipelines", {"pipeline_name": name, "step_names": [f"{self._name}-absent"]}
            case "set a variable":
                return "PUT", "/environment-variables", {"environment_variables": {f"V_{next(self._numbers)}": name}}
            case "create a step":
                return "POST", "/steps", step_body(name, self._repository)
        self._pipelines = [*self._pipelines[-30:], name]
        return "POST", "/pipelines", {"pipeline_name": name, "step_names": [BASE_STEP]}

    async def _ask(
        self, method: str, path: str, body: dict[str, Any] | None, stop: asyncio.Event, patience: float = PATIENCE
    ) -> None:
        """Ask, and at most times repeat until the answer is definite; read at once what was created."""
        key = f"{self._name}-key-{next(self._numbers)}"
        command_id = uuid5(IDEMPOTENCY, f"{self._environment}\n{self._doors.user_id}\n{key}")
        asked = Asked(self._environment, self._name, command_id, key, method, path, body)
        self._history.asked.append(asked)
        self._mine.append(asked)
        insists = self._random.random() < 0.6
        is_patient = self._random.random() < patience
        while not stop.is_set():
            told, answer = await self._tell(asked, {} if is_patient else {"Prefer": "respond-async"})
            if answer is not None and told is not Told.UNKNOWN:
                _keep(asked, told, answer)
                if told is Told.OK and path == "/pipelines" and method == "POST":
                    await self._read_back(str((body or {})["pipeline_name"]))
                return
            asked.unknowns += 1
            if not insists:
                return
            await asyncio.sleep(0.2)

    async def _tell(self, asked: Asked, headers: dict[str, str] | None = None) -> tuple[Told, httpx.Response | None]:
        """Send a command; return what the answer tells of it, and the answer if one came."""
        headers = {**(headers or {}), "Idempotency-Key": asked.key}
        try:
            answer = await self._doors.send(asked.method, asked.path, json=asked.body, headers=headers)
        except httpx.TransportError as error:
            self._history.unknown[type(error).__name__] += 1
            return Told.UNKNOWN, None
        if answer.status_code in NOBODY_KNOWS or answer.status_code == httpx.codes.UNAUTHORIZED:
            self._history.unknown[code_of(answer)] += 1
            return Told.UNKNOWN, answer
        if answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
            self._history.complain(f"{asked.method} {asked.path}: {answer.status_code} {answer.text[:300]}")
            return Told.UNKNOWN, answer
        told_id = answer.headers.get("Pipeloom-Command-Id") or (details_of(answer).get("command_id"))
        if told_id != str(asked.command_id):
            self._history.complain(f"{asked.method} {asked.path}: {told_id} is not {asked.command_id}: {answer.text}")
        if answer.status_code == httpx.codes.ACCEPTED:
            return Told.ACCEPTED, answer
        return (Told.OK if answer.is_success else Told.REFUSED), answer

    async def _read_back(self, pipeline: str) -> None:
        """What was created can be read at once, unless nobody can read now."""
        answer = await self._read(f"/pipelines/{pipeline}")
        if answer is not None and answer.status_code != httpx.codes.OK:
            self._history.complain(f"{pipeline} was created and cannot be read: {answer.status_code} {answer.text}")

    async def _list(self) -> None:
        answer = await self._read("/pipelines?limit=200")
        if answer is None or answer.status_code != httpx.codes.OK:
            return
        self._history.counts["names read in lists"] += len(answer.json())
        strange = [n for each in answer.json() if not (n := each["pipeline_name"]).startswith(self._environment)]
        if strange:
            self._history.complain(f"{self._environment} read names of another environment: {strange[:5]}")

    async def _look(self, asked: Asked) -> None:
        """The result of a command that was told is the same when it is asked for."""
        if asked.told not in {Told.OK, Told.REFUSED}:
            return
        answer = await self._read(f"/commands/{asked.command_id}")
        if answer is None:
            return
        wanted = "succeeded" if asked.told is Told.OK else "rejected"
        if answer.json().get("status") != wanted:
            self._history.complain(f"{asked.command_id} was {asked.told}, and is told as {answer.text[:300]}")

    async def _reuse(self, asked: Asked) -> None:
        """Another body under a key that was decided is refused, with no effect."""
        if asked.told not in {Told.OK, Told.REFUSED} or asked.path != "/pipelines":
            return
        name = f"{self._name}-{next(self._numbers)}-reused"
        other = {"pipeline_name": name, "step_names": [BASE_STEP]}
        try:
            answer = await self._doors.send("POST", "/pipelines", json=other, headers={"Idempotency-Key": asked.key})
        except httpx.TransportError:
            return
        self._history.counts["keys used for another body"] += 1
        if answer.status_code not in NOBODY_KNOWS and code_of(answer) != "command_id_reused":
            self._history.complain(f"another body under {asked.key}: {answer.status_code} {answer.text[:300]}")

    async def _read(self, path: str) -> httpx.Response | None:
        """Return the answer to a read, None when nobody can read now."""
        try:
            answer = await self._doors.send("GET", path)
        except httpx.TransportError:
            return None
        self._history.counts["reads"] += 1
        if answer.status_code == httpx.codes.INTERNAL_SERVER_ERROR:
            self._history.complain(f"GET {path}: 500 {answer.text[:300]}")
        cannot = answer.status_code in NOBODY_KNOWS or answer.status_code == httpx.codes.UNAUTHORIZED
        return None if cannot or answer.is_server_error else answer


def step_body(name: str, repository: str) -> dict[str, Any]:
    """Return what asks for a step that the builder can build."""
    return {
        "step_name": name,
        "function_path": FUNCTION_PATH,
        "function_name": FUNCTION_NAME,
        "inputs": INPUTS,
        "container_config": {"repository_url": repository},
    }


def _keep(asked: Asked, told: Told, answer: httpx.Response) -> None:
    asked.told, asked.status, asked.code, asked.answer = told, answer.status_code, code_of(answer), answer.text


def _is_same(asked: Asked, answer: httpx.Response) -> bool:
    if asked.told is Told.REFUSED:
        return (asked.status, asked.code) == (answer.status_code, code_of(answer))
    return answer.status_code == httpx.codes.ACCEPTED or (asked.status, asked.answer) == (
        answer.status_code,
        answer.text,
    )

"""What is asked of an installation: each operation over its HTTP API, one after the other on one connection."""

import json
import random
import time
from collections.abc import Callable, Mapping
from http.client import HTTPConnection
from typing import Any
from uuid import uuid4

from benchmarks.growth_installation import Installation
from benchmarks.seeding import pipeline_name, step_name
from pipeloom.local.ports import HOST

API = "/api/v1"
TIMEOUT_S = 60.0
PAGE = 100
BACKFILL = 500
CHUNK = 64 * 1024


class UnexpectedAnswerError(Exception):
    """An operation that was not answered as it has to be; the message shows the answer."""


class Client:
    """One connection to an installation, as one user of one environment of it."""

    def __init__(self, installation: Installation, seed: int) -> None:
        """Sign in."""
        self._installation = installation
        self._http = HTTPConnection(HOST, installation.port, timeout=TIMEOUT_S)
        self._headers: dict[str, str] = {}
        self._random = random.Random(seed)
        shape = installation.shape
        self._pipelines = shape.pipelines_of(shape.environments // 2)
        token = self._ask("POST", "/auth/refresh", {"refresh_token": installation.sdk_token}, expected=200)
        self._headers["Authorization"] = f"Bearer {token['access_token']}"

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def connect_anew(self) -> None:
        """Open the connection, which the server closes while other installations have their turn."""
        self._http.close()
        self._ask("GET", f"/pipelines/{self._any_pipeline()}", expected=200)

    def create(self) -> float:
        """Create a pipeline: durable and readable when it is answered."""
        return self._timed(self._create)

    def get(self) -> float:
        """Get one of the pipelines."""
        return self._timed(lambda: self._ask("GET", f"/pipelines/{self._any_pipeline()}", expected=200))

    def list_first(self) -> float:
        """Get the first page of the list."""
        return self._timed(lambda: self._page("/pipelines", ""))

    def list_deep(self) -> float:
        """Get a page from nine tenths down the list."""
        behind = pipeline_name(int(self._pipelines * 0.9) - PAGE // 2)
        return self._timed(lambda: self._page("/pipelines", f"&after={behind}"))

    def commands(self) -> float:
        """Get a page of the commands that asked for pipelines, the newest first: a list with a filter."""
        return self._timed(lambda: self._page("/commands", "&type=PipelineRequested"))

    def history(self) -> float:
        """Get the history of one of the pipelines."""
        return self._timed(lambda: self._ask("GET", f"/pipelines/{self._any_pipeline()}/history", expected=200))

    def delete_forced(self) -> float:
        """Delete a pipeline and the endpoint that uses it."""
        name = self._create()
        self._ask("POST", "/endpoints", {"name": f"{name}-endpoint", "pipeline_name": name}, expected=201)
        path = f"/pipelines/{name}?force_deployments_deletion=true"
        return self._timed(lambda: self._ask("DELETE", path, expected=200))

    def backfill(self) -> float:
        """Read as many events as a page of the live feed holds, from the middle of the history."""
        last = self._installation.events // self._installation.shape.environments // 2
        http = HTTPConnection(HOST, self._installation.port, timeout=TIMEOUT_S)
        try:
            return self._timed(lambda: _read_events(http, {**self._headers, "Last-Event-ID": str(last)}))
        finally:
            http.close()

    def _timed(self, operation: Callable[[], object]) -> float:
        began = time.perf_counter()
        operation()
        return (time.perf_counter() - began) * 1_000

    def _create(self) -> str:
        name = f"made-{uuid4().hex}"
        self._ask("POST", "/pipelines", {"pipeline_name": name, "step_names": [step_name(0)]}, expected=201)
        return name

    def _any_pipeline(self) -> str:
        return pipeline_name(self._random.randrange(self._pipelines))

    def _page(self, path: str, query: str) -> None:
        found = self._ask("GET", f"{path}?limit={PAGE}{query}", expected=200)
        if not found:
            raise UnexpectedAnswerError(f"{path}?limit={PAGE}{query} is empty")

    def _ask(self, method: str, path: str, body: object = None, *, expected: int) -> Any:
        headers = {**self._headers, **({} if body is None else {"Content-Type": "application/json"})}
        self._http.request(method, API + path, None if body is None else json.dumps(body), headers)
        answer = self._http.getresponse()
        text = answer.read()
        if answer.status != expected:
            raise UnexpectedAnswerError(f"{method} {path}: {answer.status} {text[:500]!r}")
        return json.loads(text)


OPERATIONS: Mapping[str, Callable[[Client], float]] = {
    "create": Client.create,
    "get": Client.get,
    "list, first page": Client.list_first,
    "list, deep page": Client.list_deep,
    "commands, filtered": Client.commands,
    "history": Client.history,
    "forced delete": Client.delete_forced,
    f"SSE backfill, {BACKFILL} events": Client.backfill,
}


def _read_events(http: HTTPConnection, headers: Mapping[str, str]) -> None:
    http.request("GET", f"{API}/events", headers=dict(headers))
    answer = http.getresponse()
    if answer.status != 200:
        raise UnexpectedAnswerError(f"GET /events: {answer.status} {answer.read(500)!r}")
    seen, rest = 0, b""
    while seen < BACKFILL:
        chunk = answer.read1(CHUNK)
        if not chunk:
            raise UnexpectedAnswerError(f"the feed ended after {seen} events")
        seen += (rest + chunk).count(b"\nevent: ")
        rest = chunk[-8:] if not chunk.endswith(b"\nevent: ") else b""

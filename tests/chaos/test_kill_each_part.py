"""kill -9 of each part in the middle of 2,000 commands: what was acknowledged has one result and one effect."""

import asyncio
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import httpx
import psutil
import pytest

from events.envelope import Event
from pipeloom.demo.source import FUNCTION_NAME, FUNCTION_PATH, INPUTS, make_repository
from pipeloom.local.ports import pick_port
from services.kit.settings import KafkaSettings
from tests.support.installation import open_log
from tests.support.services import eventually

COMMANDS = 2_000
CONNECTIONS = 16
ANSWER_S = 60.0
SETTLE_S = 120.0

# What is killed, by what its command line holds, after how many answers.
KILLS = {400: "services.composer", 800: "services.relay", 1200: "kafka.Kafka", 1600: "bin/postgres"}


@dataclass
class History:
    """What the clients saw: which names were acknowledged as created, and which requests ended in the unknown."""

    created: dict[str, UUID] = field(default_factory=dict)
    unknown: Counter[str] = field(default_factory=Counter)
    killed: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Stack:
    """A running `pipeloom up` on embedded servers."""

    process: asyncio.subprocess.Process
    environment: dict[str, str]

    def pid_of(self, part: str) -> int:
        """Return the pid of the topmost process of a part. Raises LookupError when it is not running."""
        for child in psutil.Process(self.process.pid).children(recursive=True):
            if part in " ".join(child.cmdline()):
                return int(child.pid)
        raise LookupError(f"{part} is not running")


@asynccontextmanager
async def running_stack(data_dir: Path) -> AsyncIterator[Stack]:
    """Run `pipeloom up` inside the block; it must end cleanly and leave no process behind."""
    arguments = ["-m", "pipeloom", "up", "--data-dir", str(data_dir), "--http-port", str(pick_port())]
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("PIPELOOM_")}
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, env=inherited)
    try:
        await eventually(lambda: (data_dir / "env").exists() or process.returncode is not None, 120)
        lines = (data_dir / "env").read_text().splitlines()
        yield Stack(process, dict(line.split("=", 1) for line in lines))
        children = psutil.Process(process.pid).children(recursive=True)
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        ended = await asyncio.wait_for(process.wait(), 20)
    assert ended == 0
    assert [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE] == []


@pytest.mark.timeout(400)
async def test_acknowledged_commands_survive_the_death_of_every_part(tmp_path: Path) -> None:
    # Given a running stack with a step that is Ready
    async with running_stack(tmp_path / "data") as stack:
        kafka = KafkaSettings(bootstrap_servers=stack.environment["PIPELOOM_KAFKA__BOOTSTRAP_SERVERS"])
        async with open_log(kafka) as log, signed_in(stack) as client:
            await make_ready(client, tmp_path / "data" / "source")
            # When each part is killed in turn while clients create pipelines
            history = await create_all(client, stack)
            # Then every request has a definite answer, and the events agree with it
            events = await log.events(len(history.created) + 2, within_s=SETTLE_S)
            listed = await names_listed(client)
    assert history.killed == list(KILLS.values())
    assert len(history.created) == COMMANDS
    check_one_result_each(history, events)
    assert listed == sorted(history.created)


@asynccontextmanager
async def signed_in(stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=stack.environment["PIPELOOM_URL"], timeout=ANSWER_S) as client:
        answer = await client.post(
            "/api/v1/auth/refresh", json={"refresh_token": stack.environment["CRAFT_AI_SDK_TOKEN"]}
        )
        client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        yield client


async def make_ready(client: httpx.AsyncClient, source: Path) -> None:
    """Have the builder make the step `s` Ready."""
    make_repository(source)
    step = {
        "step_name": "s",
        "function_path": FUNCTION_PATH,
        "function_name": FUNCTION_NAME,
        "inputs": INPUTS,
        "container_config": {"repository_url": str(source)},
    }
    assert (await client.post("/api/v1/steps", json=step)).status_code == 206
    built = await client.get("/api/v1/steps/s", params={"wait_for_completion": "true"})
    assert built.json()["creation_info"]["status"] == "Ready", built.text


async def create_all(client: httpx.AsyncClient, stack: Stack) -> History:
    history = History()
    names = iter([f"p{number:05}" for number in range(COMMANDS)])
    async with asyncio.TaskGroup() as group:
        for _ in range(CONNECTIONS):
            group.create_task(create_some(client, stack, names, history))
    return history


async def create_some(client: httpx.AsyncClient, stack: Stack, names: Iterator[str], history: History) -> None:
    for name in names:
        history.created[name] = await create_until_definite(client, name, history)
        part = KILLS.get(len(history.created))
        if part is not None and part not in history.killed:
            history.killed.append(part)
            os.kill(stack.pid_of(part), signal.SIGKILL)


async def create_until_definite(client: httpx.AsyncClient, name: str, history: History) -> UUID:
    """Ask, and repeat with the same Idempotency-Key as long as the outcome is unknown."""
    async with asyncio.timeout(SETTLE_S):
        while True:
            try:
                answer = await client.post(
                    "/api/v1/pipelines",
                    json={"pipeline_name": name, "step_names": ["s"]},
                    headers={"Idempotency-Key": name},
                )
            except httpx.TransportError as error:
                history.unknown[type(error).__name__] += 1
                continue
            if answer.status_code == 201:
                return UUID(answer.headers["Pipeloom-Command-Id"])
            assert answer.status_code in {503, 504}, answer.text
            history.unknown[answer.json()["name"]] += 1
            await asyncio.sleep(0.2)


async def names_listed(client: httpx.AsyncClient) -> list[str]:
    listed = await client.get("/api/v1/pipelines")
    return [each["pipeline_name"] for each in listed.json()]


def check_one_result_each(history: History, events: list[Event]) -> None:
    """Each acknowledged command has one record on the topic; the environment's order has no gap and no double."""
    records = Counter(event.command_id for event in events if event.is_result)
    assert {command_id: records[command_id] for command_id in history.created.values()} == dict.fromkeys(
        history.created.values(), 1
    )
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    assert {event.type for event in events} == {"StepCreated", "StepReady", "PipelineCreated"}

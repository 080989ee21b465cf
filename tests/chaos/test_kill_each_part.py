"""kill -9 of each part in the middle of 2,000 commands: what was acknowledged has one result and one effect."""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from events.envelope import Event
from tests.chaos.stack import Stack, make_ready, running_stack, signed_in
from tests.support.installation import open_log

COMMANDS = 2_000
CONNECTIONS = 16
SETTLE_S = 120.0

# What is killed, by what its command line holds, after how many answers.
KILLS = {400: "services.composer", 800: "services.relay", 1200: "kafka.Kafka", 1600: "bin/postgres"}


@dataclass
class History:
    """What the clients saw: which names were acknowledged as created, and which requests ended in the unknown."""

    created: dict[str, UUID] = field(default_factory=dict)
    unknown: Counter[str] = field(default_factory=Counter)
    killed: list[str] = field(default_factory=list)


@pytest.mark.timeout(400)
async def test_acknowledged_commands_survive_the_death_of_every_part(tmp_path: Path) -> None:
    # Given a running stack with a step that is Ready
    async with running_stack(tmp_path / "data") as stack, open_log(stack.kafka) as log, signed_in(stack) as client:
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

"""Two builders share 200 steps, and one of them is killed on the way."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import Process
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient

from events.commands import StepRequested
from events.envelope import Event
from pipeloom.demo.source import FUNCTION_NAME, FUNCTION_PATH, INPUTS, make_repository
from services.composer.service import run_composer
from services.kit.settings import KafkaSettings, Settings
from services.relay.service import run_relay
from tests.support.installation import Log, command, new_member
from tests.support.services import eventually, running_service

STEPS = 200
END_S = 120.0
STOP_S = 15.0
OUTCOMES = {"StepReady", "StepFailed"}


async def test_200_steps_each_end_once_when_one_of_two_builders_is_killed(
    installation: Settings, log: Log, tmp_path: Path
) -> None:
    # Given 200 steps, of which every fourth names a function that is not there
    make_repository(tmp_path / "code")
    installation.builder.source_roots = [tmp_path]
    environments = [(await new_member(installation.postgres)).environment for _ in range(8)]
    asked = [(environments[number % 8], f"s{number}", number % 4 != 0) for number in range(STEPS)]
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(running_service(run_composer, installation))
        await stack.enter_async_context(running_service(run_relay, installation))
        one, other = [await stack.enter_async_context(builder(installation)) for _ in range(2)]
        await eventually(lambda: share(installation.kafka, 2))
        # When one of the builders is killed while steps are being built
        await log.ask(*(command(where, request(name, tmp_path / "code", good)) for where, name, good in asked))
        begun = await log.events(STEPS + STEPS // 10, END_S)
        one.kill()
        assert len(begun) < 2 * STEPS, "the builders were through before one could be killed"
        # Then every step ends, once, as it should
        events = await log.events(2 * STEPS, END_S)
        assert other.returncode is None
    ended = Counter((event.environment, event.subject) for event in events if event.type in OUTCOMES)
    assert ended == Counter({(where, f"steps/{name}"): 1 for where, name, _ in asked})
    wanted = {(where, name): "StepReady" if good else "StepFailed" for where, name, good in asked}
    assert {outcome(event): event.type for event in events if event.type in OUTCOMES} == wanted


async def share(kafka: KafkaSettings, number: int) -> bool:
    """Tell whether the group of the builders is settled with so many members."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
    await admin.start()
    try:
        [described] = await admin.describe_consumer_groups([kafka.group("builder", None)])
    finally:
        await admin.close()
    [(_, _, state, _, _, members, *_)] = described.groups
    return state == "Stable" and len(members) == number


def request(name: str, repository: Path, good: bool) -> StepRequested:
    return StepRequested.model_validate(
        {
            "step_name": name,
            "function_path": FUNCTION_PATH,
            "function_name": FUNCTION_NAME if good else "nothing",
            "inputs": INPUTS,
            "container_config": {"repository_url": str(repository)},
        }
    )


def outcome(event: Event) -> tuple[str, str]:
    return event.environment, event.subject.removeprefix("steps/")


@asynccontextmanager
async def builder(settings: Settings) -> AsyncIterator[Process]:
    """Run a builder in a process of its own for the length of the block."""
    variables = {
        "PIPELOOM_KAFKA__BOOTSTRAP_SERVERS": settings.kafka.bootstrap_servers,
        "PIPELOOM_KAFKA__TOPIC_PREFIX": settings.kafka.topic_prefix,
        "PIPELOOM_BUILDER__WORK_DIR": str(settings.builder.work_dir),
        "PIPELOOM_BUILDER__SOURCE_ROOTS": json.dumps([str(root) for root in settings.builder.source_roots]),
        "PIPELOOM_OBJECTS__LOCATION": settings.objects.location,
        "PIPELOOM_SECRETS__KEY_FILE": str(settings.secrets.key_file),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.builder", env={**os.environ, **variables}
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await asyncio.wait_for(process.wait(), STOP_S)

"""Postgres restored from a backup that is older than Kafka: commands are composed again, and nobody can tell."""

from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from events.commands import PipelineDeleteRequested, PipelineRequested, StepBuildReported, StepRequested
from events.envelope import Command
from services.composer.recovery.progress import Progress
from services.composer.recovery.verify import verify
from services.composer.service import run_composer
from services.kit.settings import Settings
from services.relay.service import run_relay
from tests.integration.recovery.test_rebuild import fetch, projection
from tests.support.installation import Log, command, new_member
from tests.support.services import eventually, running_service

LOGGED = "SELECT * FROM event_log ORDER BY partition, log_offset, log_index"
TAKEN = "SELECT environment, command_id, fingerprint, partition, log_offset, log_index FROM inbox ORDER BY command_id"
CURSORS = "SELECT partition, next_offset FROM partition_cursor ORDER BY partition"
HEADS = "SELECT * FROM environment_head ORDER BY environment"
LETTERS = "SELECT partition, log_offset, code FROM dead_letter ORDER BY partition, log_offset"


def life(environment: str, name: str) -> list[Command]:
    step = command(environment, StepRequested(step_name=name, function_path="a.py", function_name="f"))
    rest = (
        StepBuildReported(step_name=name, requested_by=str(step.id), outcome="ready"),
        PipelineRequested(pipeline_name=name, step_names=[name]),
        PipelineRequested(pipeline_name=name, step_names=[name]),
        PipelineRequested(pipeline_name=f"{name}-2", step_names=[name]),
        PipelineDeleteRequested(pipeline_name=name),
    )
    return [step, *(command(environment, each) for each in rest)]


async def copied(settings: Settings, name: str) -> None:
    """Copy the database, which nobody may use meanwhile, as a backup or to restore one."""
    parts = urlsplit(settings.postgres.dsn.get_secret_value())
    connection = await asyncpg.connect(urlunsplit(parts._replace(path="/postgres")))
    try:
        await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{parts.path[1:]}"')
    finally:
        await connection.close()


def on(settings: Settings, name: str) -> Settings:
    parts = urlsplit(settings.postgres.dsn.get_secret_value())
    postgres = settings.postgres.model_copy(update={"dsn": SecretStr(urlunsplit(parts._replace(path=f"/{name}")))})
    return settings.model_copy(update={"postgres": postgres})


async def run_until_published(settings: Settings, log: Log, commands: int, events: int) -> None:
    """Run composer and relay until all is decided and published, and the composer has told Kafka how far it is."""

    async def all_are_decided() -> bool:
        return await fetch(settings, "SELECT count(*) FROM inbox") == [(commands,)]

    async with running_service(run_composer, settings), running_service(run_relay, settings):
        await eventually(all_are_decided)
        await log.events(events)


async def stored(settings: Settings) -> dict[str, Any]:
    tables = {query: await fetch(settings, query) for query in (LOGGED, TAKEN, CURSORS, HEADS, LETTERS)}
    return {**tables, "projection": await projection(settings)}


@pytest.mark.parametrize("backups_into", [0, 7], ids=["an empty database", "the middle of the history"])
async def test_a_restored_backup_catches_up_as_if_nothing_had_happened(
    installation: Settings, log: Log, backups_into: int
) -> None:
    # Given a backup, and commands that were decided and published behind it
    environment = (await new_member(installation.postgres)).environment
    asked = [*life(environment, "a"), *life(environment, "b"), *life(environment, "c")]
    name = urlsplit(installation.postgres.dsn.get_secret_value()).path[1:] + "_backup"
    if backups_into:
        await log.ask(*asked[:backups_into])
        await run_until_published(installation, log, backups_into, backups_into)
    await copied(installation, name)
    await log.ask(*asked[backups_into:], asked[2])
    await log.put(environment.encode(), b"no command", [])
    await run_until_published(installation, log, len(asked), len(asked))

    async def the_letter_is_kept() -> bool:
        return bool(await fetch(installation, LETTERS))

    async with running_service(run_composer, installation):
        await eventually(the_letter_is_kept)
    before, told = await stored(installation), await log.records(log.events_topic, len(asked))
    # When the service runs on the restored backup, and new commands come
    restored = on(installation, name)
    with capture_logs() as lines:
        await run_until_published(restored, log, len(asked), len(asked))
        async with running_service(run_composer, restored):
            await eventually(lambda: _is(restored, LETTERS, before[LETTERS]))
    # Then
    assert await stored(restored) == before
    assert [record.value for record in await log.records(log.events_topic, len(told))] == [
        record.value for record in told
    ]
    assert any(line["event"].startswith("Postgres is older than what was composed") for line in lines)
    await log.ask(*life(environment, "d"))
    await run_until_published(restored, log, len(asked) + 6, len(asked) + 6)
    events = await log.events(len(asked) + 6)
    assert [event.sequence for event in events] == list(range(1, len(asked) + 7))
    assert len({event.id for event in events}) == len(events)
    assert (await verify(restored, None, Progress())).differences == []


async def _is(settings: Settings, query: str, expected: object) -> bool:
    return await fetch(settings, query) == expected

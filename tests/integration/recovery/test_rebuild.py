"""Rebuild on real Postgres and Kafka: the projection is what the log says, whoever is killed or writes meanwhile."""

import asyncio
import os
import signal
import sys
from typing import Any

import asyncpg
import pytest

from events.commands import StepRequested
from services.composer.recovery.progress import Progress
from services.composer.recovery.rebuild import RefusedRebuildError, rebuild, rehearse
from services.composer.recovery.verify import verify
from services.composer.service import run_composer
from services.kit.postgres import connect
from services.kit.settings import Settings
from tests.integration.recovery.test_verify import execute, recovery
from tests.support.history import new_history
from tests.support.installation import Log, command, new_member
from tests.support.services import eventually, running_service

TABLES = ("step", "pipeline", "deployment", "environment_variable")
SPOILED = (
    "DELETE FROM deployment",
    "UPDATE pipeline SET document = '{}'",
    "UPDATE step SET version = version + 1, status = 'Pending'",
    "INSERT INTO step SELECT environment, 'ghost', status, version, body, document, summary FROM step LIMIT 1",
)
SHAPE = """
SELECT c.relname, 'index' AS what, i.indexname AS name, i.indexdef AS definition
FROM pg_class c JOIN pg_indexes i ON i.tablename = c.relname AND i.schemaname = 'public'
WHERE c.oid = ANY($1::regclass[])
UNION ALL
SELECT c.relname, 'constraint', k.conname, pg_get_constraintdef(k.oid)
FROM pg_class c JOIN pg_constraint k ON k.conrelid = c.oid WHERE c.oid = ANY($1::regclass[])
UNION ALL
SELECT c.relname, 'column', a.attname, format_type(a.atttypid, a.atttypmod) || a.attcollation || a.attnotnull
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 WHERE c.oid = ANY($1::regclass[])
UNION ALL
SELECT c.relname, 'grants', c.relname, coalesce(c.relacl::text, '') FROM pg_class c WHERE c.oid = ANY($1::regclass[])
ORDER BY 1, 2, 3
"""


async def fetch(settings: Settings, query: str, *arguments: Any) -> list[tuple[Any, ...]]:
    connection = await connect(settings.postgres)
    try:
        return [tuple(row) for row in await connection.fetch(query, *arguments)]
    finally:
        await connection.close()


async def projection(settings: Settings) -> list[list[tuple[Any, ...]]]:
    return [await fetch(settings, f"SELECT * FROM {table} ORDER BY environment, name") for table in TABLES]


async def is_equal(settings: Settings) -> bool:
    return (await verify(settings, None, Progress())).differences == []


async def nothing_is_left(settings: Settings) -> bool:
    return await fetch(settings, "SELECT 1 FROM pg_namespace WHERE nspname LIKE 'pipeloom%'") == []


async def test_a_spoiled_projection_is_rebuilt_as_it_was(installation: Settings) -> None:
    # Given
    await new_history(installation, 2_100)
    await new_history(installation, 30)
    before = await projection(installation)
    await execute(installation, *SPOILED)
    # When
    done = await rebuild(installation, Progress())
    # Then
    assert (done.environments, done.went_on) == (2, False)
    assert await projection(installation) == before
    assert await is_equal(installation)
    assert await nothing_is_left(installation)


async def test_the_new_tables_have_the_keys_indexes_and_grants_of_the_old_ones(installation: Settings) -> None:
    # Given
    await new_history(installation, 20)
    await execute(installation, "GRANT SELECT ON step, pipeline TO PUBLIC")
    before = await fetch(installation, SHAPE, list(TABLES))
    # When
    for _ in range(2):
        await rebuild(installation, Progress())
    # Then
    assert await fetch(installation, SHAPE, list(TABLES)) == before


async def test_a_rehearsal_tells_what_would_change_and_leaves_nothing(installation: Settings) -> None:
    # Given
    await new_history(installation, 20)
    await execute(installation, *SPOILED)
    spoiled = await projection(installation)
    # When
    findings = await rehearse(installation, Progress())
    # Then
    assert findings.differences_total > 4
    assert await projection(installation) == spoiled
    assert await nothing_is_left(installation)


async def test_commands_that_are_decided_meanwhile_are_neither_lost_nor_doubled(
    installation: Settings, log: Log
) -> None:
    # Given
    environment = (await new_member(installation.postgres)).environment
    asked = [
        command(environment, StepRequested(step_name=f"s{each}", function_path="a.py", function_name="f"))
        for each in range(300)
    ]
    async with running_service(run_composer, installation):
        await log.ask(*asked[:50])
        # When
        asking = asyncio.ensure_future(log.ask(*asked[50:]))
        for _ in range(3):
            await rebuild(installation, Progress())
        await asking

        async def all_are_decided() -> bool:
            return await fetch(installation, "SELECT count(*) FROM inbox") == [(300,)]

        await eventually(all_are_decided)
    # Then
    assert await fetch(installation, "SELECT count(*), max(sequence) FROM event_log") == [(300, 300)]
    assert await is_equal(installation)


async def test_a_batch_that_was_decided_on_the_old_tables_cannot_be_saved_any_more(installation: Settings) -> None:
    # Given
    await new_history(installation, 10)
    before = await fetch(installation, "SELECT epoch FROM partition_cursor")
    # When
    await rebuild(installation, Progress())
    # Then
    assert await fetch(installation, "SELECT epoch - 1 FROM partition_cursor") == before


async def test_a_rebuild_that_was_killed_goes_on_where_it_was(installation: Settings) -> None:
    # Given
    for _ in range(8):
        await new_history(installation, 1_000)
    await execute(installation, *SPOILED)
    program = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "pipeloom", "rebuild"),
        env={**os.environ, "PIPELOOM_POSTGRES__DSN": installation.postgres.dsn.get_secret_value()},
    )

    async def something_was_replayed() -> bool:
        try:
            return await fetch(installation, "SELECT count(*) > 1 FROM pipeloom_rebuild.replayed_place") == [(True,)]
        except asyncpg.UndefinedTableError:
            return False

    await eventually(something_was_replayed)
    program.send_signal(signal.SIGKILL)
    await program.wait()
    ((replayed,),) = await fetch(installation, "SELECT sum(sequence)::int FROM pipeloom_rebuild.replayed_place")
    ((events,),) = await fetch(installation, "SELECT count(*) FROM event_log")
    # When
    done = await rebuild(installation, Progress())
    # Then
    assert (done.went_on, done.events) == (True, events - replayed)
    assert await is_equal(installation)
    assert await nothing_is_left(installation)


async def test_what_another_version_had_begun_is_begun_anew(installation: Settings) -> None:
    # Given
    await new_history(installation, 10)
    await execute(installation, "CREATE SCHEMA pipeloom_rebuild", "COMMENT ON SCHEMA pipeloom_rebuild IS '0.0.1 x'")
    # When
    done = await rebuild(installation, Progress())
    # Then
    assert done.went_on is False
    assert await is_equal(installation)


async def test_two_rebuilds_do_not_run_at_once(installation: Settings) -> None:
    connection = await connect(installation.postgres)
    try:
        await connection.execute("SELECT pg_advisory_lock(hashtext('pipeloom rebuild'))")
        with pytest.raises(RefusedRebuildError, match="another rebuild is under way"):
            await rebuild(installation, Progress())
    finally:
        await connection.close()


async def test_a_swap_waits_for_readers_and_is_tried_again(installation: Settings) -> None:
    # Given
    await new_history(installation, 10)
    connection = await connect(installation.postgres)
    try:
        reading = connection.transaction()
        await reading.start()
        await connection.fetch("SELECT 1 FROM step")
        # When
        rebuilding = asyncio.ensure_future(rebuild(installation, Progress()))

        async def the_swap_waits() -> bool:
            waits = "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database \
                WHERE datname = current_database())"
            return await fetch(installation, waits) == [(True,)]

        await eventually(the_swap_waits)
        await reading.rollback()
        done = await rebuilding
    finally:
        await connection.close()
    # Then
    assert done.resources > 0
    assert await is_equal(installation)


async def test_a_log_with_a_gap_or_without_its_end_is_refused_and_nothing_is_changed(installation: Settings) -> None:
    # Given
    environment = await new_history(installation, 20)
    before = await projection(installation)
    await execute(installation, f"DELETE FROM event_log WHERE environment = '{environment}' AND sequence > 15")
    # When
    with pytest.raises(RefusedRebuildError, match="ends at 15 in the event log"):
        await rebuild(installation, Progress())
    await execute(installation, f"DELETE FROM event_log WHERE environment = '{environment}' AND sequence = 3")
    ended = await recovery(installation, "rebuild", "--restart")
    # Then
    assert ended.returncode == 1
    assert "the history has a gap: behind 2 comes 4" in ended.stderr
    assert await projection(installation) == before


async def test_a_wrong_head_that_is_behind_is_mended(installation: Settings) -> None:
    # Given
    await new_history(installation, 10)
    await execute(installation, "UPDATE environment_head SET sequence = 2")
    # When
    ended = await recovery(installation, "rebuild", "--output", "json")
    # Then
    assert (ended.returncode, ended.stderr) == (0, "")
    assert await is_equal(installation)

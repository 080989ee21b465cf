"""Pruning on real Postgres: what stays is as whole as before, whatever goes and wherever it is interrupted."""

import asyncio

import asyncpg
import pytest

from services.composer.recovery.progress import Progress
from services.composer.recovery.rebuild import rebuild
from services.composer.retention import store
from services.composer.retention.prune import (
    NotDecidedError,
    Pace,
    UnreadableHistoryError,
    decided_before,
    prune,
    prune_piece,
    rehearse,
)
from services.composer.retention.what_may_go import Hold
from services.kit.postgres import connect
from services.kit.settings import Settings
from tests.integration.recovery.test_rebuild import SPOILED, projection
from tests.integration.recovery.test_verify import execute
from tests.integration.retention.world import KEEP_DAYS, QUICK, Retention
from tests.support.history import new_history

WITHOUT_INBOX = (
    "SELECT count(*) FROM event_log e WHERE NOT EXISTS (SELECT FROM inbox i WHERE i.command_id = e.command_id)"
)


async def test_what_is_old_goes_in_small_pieces_and_verify_still_says_equal(retention: Retention) -> None:
    # Given
    old, other = await new_history(retention.settings, 700), await new_history(retention.settings, 60)
    head = max(await retention.sequences(old))
    await retention.age(old)
    # When
    done, pieces = await retention.prune()
    # Then
    assert (done.events, done.commands, done.held) == (head, 700, {})
    assert len(pieces) > 5
    assert max(piece.events for piece in pieces) <= 100
    assert await retention.sequences(old) == []
    assert len(await retention.sequences(other)) >= 60
    assert await retention.value("SELECT sequence FROM history_horizon WHERE environment = $1", old) == head
    assert await retention.differences() == []


async def test_a_history_goes_on_behind_its_horizon(retention: Retention) -> None:
    # Given
    environment = await new_history(retention.settings, 150)
    await retention.age(environment, 90)
    await retention.prune()
    begins = await retention.sequences(environment)
    # When
    await new_history(retention.settings, 80, environment)
    # Then
    told = await retention.sequences(environment)
    assert begins[0] > 60
    assert told == list(range(begins[0], begins[0] + len(told)))
    assert await retention.differences() == []


async def test_a_spoiled_projection_is_rebuilt_from_the_baseline_and_the_rest(retention: Retention) -> None:
    # Given
    environment = await new_history(retention.settings, 2_600)
    await retention.age(environment, 2_000)
    before = await projection(retention.settings)
    await retention.prune(Pace(500, 0.0))
    await execute(retention.settings, *SPOILED)
    # When
    done = await rebuild(retention.settings, Progress())
    # Then
    assert done.events < 1_500
    assert await projection(retention.settings) == before
    assert await retention.differences() == []


async def test_a_history_that_is_wholly_pruned_is_rebuilt_from_its_baseline(retention: Retention) -> None:
    # Given
    environment = await new_history(retention.settings, 1_300)
    await retention.age(environment)
    before = await projection(retention.settings)
    await retention.prune(Pace(500, 0.0))
    await execute(retention.settings, *SPOILED)
    # When
    done = await rebuild(retention.settings, Progress())
    # Then
    assert (done.events, done.environments) == (0, 1)
    assert await projection(retention.settings) == before


async def test_a_round_that_ends_between_two_pieces_is_gone_on_with(retention: Retention) -> None:
    # Given
    environment = await new_history(retention.settings, 120)
    await retention.age(environment)

    def interrupt(_: object) -> None:
        raise ConnectionResetError

    # When

    with pytest.raises(ConnectionResetError):
        await prune(retention.connection, await retention.ends(), KEEP_DAYS, Pace(30, 0.0), interrupt)
    # Then
    assert await retention.differences() == []
    await retention.prune()
    assert await retention.sequences(environment) == []
    assert await retention.differences() == []


@pytest.mark.parametrize("table", ["baseline", "dead_letter", "inbox", "event_log", "history_horizon"])
async def test_a_piece_that_fails_at_any_statement_changes_nothing(retention: Retention, table: str) -> None:
    # Given
    environment = await new_history(retention.settings, 60)
    await retention.age(environment)
    told = await retention.sequences(environment)
    connection = await connect(retention.settings.postgres)
    try:
        async with connection.transaction():
            await connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
            await retention.connection.execute("SET lock_timeout = '100ms'")
            # When
            with pytest.raises(asyncpg.LockNotAvailableError):
                await retention.prune()
        # Then
        assert await retention.sequences(environment) == told
        assert await retention.value("SELECT count(*) FROM baseline") == 0
        assert await retention.differences() == []
    finally:
        await connection.close()


async def test_what_is_not_published_stays_with_all_behind_it(retention: Retention) -> None:
    # Given
    environment = await new_history(retention.settings, 40)
    await retention.age(environment, publish=False)
    # When
    nothing, _ = await retention.prune()
    await retention.connection.execute("INSERT INTO relay_position VALUES (0, 0, 20, 0)")
    some, _ = await retention.prune()
    # Then
    assert (nothing.events, nothing.held) == (0, {environment: Hold.UNPUBLISHED})
    assert some.held == {environment: Hold.UNPUBLISHED}
    # The command at 20 has more than one event: it is not published as a whole.
    assert await retention.value("SELECT min(log_offset) FROM event_log") == 20
    assert await retention.differences() == []


async def test_what_a_webhook_was_not_told_of_stays(retention: Retention) -> None:
    # Given
    environment = await new_history(retention.settings, 40)
    await retention.age(environment)
    insert = (
        "INSERT INTO webhook"
        " (id, environment, url, subject, sealed_secret, told_up_to, created_by, status, disabled_at)"
        " VALUES (gen_random_uuid(), $1, 'https://a', '', '', $2, 'u', $3, $4) RETURNING id"
    )
    await retention.value(
        insert, environment, 3, "disabled", await retention.value("SELECT now() - '30 days'::interval")
    )
    webhook = await retention.value(insert, environment, 30, "enabled", None)
    await retention.connection.execute(
        "INSERT INTO webhook_delivery (webhook_id, sequence, event_id, type, subject) VALUES ($1, 12, 'e', 't', 's')",
        webhook,
    )
    # When
    held, _ = await retention.prune()
    first = (await retention.sequences(environment))[0]
    await retention.connection.execute("UPDATE webhook_delivery SET status = 'delivered'")
    await retention.prune()
    # Then
    assert held.held == {environment: Hold.WEBHOOK}
    assert 10 <= first <= 12
    assert 28 <= (await retention.sequences(environment))[0] <= 31


async def test_nothing_goes_while_the_topic_holds_commands_that_are_not_decided(retention: Retention) -> None:
    # Given
    environment = await new_history(retention.settings, 40)
    await retention.age(environment)
    for offsets in ({0: 41}, {0: 40, 1: 1}):
        ends = await retention.ends(offsets)
        # When
        with pytest.raises(NotDecidedError):
            await prune_piece(retention.connection, environment, ends, decided_before(ends, KEEP_DAYS), 100)
    # Then
    ends = await retention.ends({0: 40, 1: 0})
    assert (await prune_piece(retention.connection, environment, ends, decided_before(ends, KEEP_DAYS), 100)).events > 0


async def test_a_forced_deletion_goes_whole_although_it_is_longer_than_a_piece(retention: Retention) -> None:
    # Given
    environment = await new_history(retention.settings, 400)
    await retention.age(environment)
    # When
    done, pieces = await retention.prune(Pace(1, 0.0))
    # Then
    assert done.commands == 400
    assert max(piece.events for piece in pieces) > 1
    assert [piece.commands for piece in pieces] == [1] * 400
    assert await retention.differences() == []


async def test_a_history_that_cannot_be_replayed_is_not_pruned(retention: Retention) -> None:
    # Given
    environment = await new_history(retention.settings, 40)
    await retention.age(environment)
    await retention.connection.execute("UPDATE event_log SET version = 99 WHERE sequence = 7")
    # When
    done, _ = await retention.prune()
    # Then
    assert done.events == 0
    assert "version 99" in done.unreadable[environment]
    ends = await retention.ends()
    with pytest.raises(UnreadableHistoryError):
        await prune_piece(retention.connection, environment, ends, decided_before(ends, KEEP_DAYS), 100)


async def test_a_rehearsal_tells_what_a_prune_does(retention: Retention) -> None:
    # Given
    environment = await new_history(retention.settings, 90)
    await retention.age(environment, 50)
    told = await retention.sequences(environment)
    # When
    rehearsed = await rehearse(retention.connection, await retention.ends(), KEEP_DAYS, QUICK)
    # Then
    assert await retention.sequences(environment) == told
    done, _ = await retention.prune()
    assert (rehearsed.events, rehearsed.commands) == (done.events, done.commands)
    assert done.events > 0


async def test_nothing_is_pruned_while_a_rebuild_reads(installation: Settings, retention: Retention) -> None:
    # Given
    environment = await new_history(retention.settings, 40)
    await retention.age(environment)
    rebuilding = await connect(installation.postgres)
    try:
        await rebuilding.execute("SELECT pg_advisory_lock(hashtext('pipeloom histories'))")
        # When
        done, _ = await retention.prune()
    finally:
        await rebuilding.close()
    # Then
    assert done.events == 0
    assert (await retention.prune())[0].events > 0


async def test_composing_goes_on_while_histories_are_pruned(retention: Retention) -> None:
    # Given
    environment = await new_history(retention.settings, 1_000)
    await retention.age(environment)
    # When
    (done, _), _ = await asyncio.gather(
        retention.prune(Pace(50, 0.0)), new_history(retention.settings, 1_000, environment)
    )
    # Then
    assert done.commands >= 1_000
    assert await retention.value(WITHOUT_INBOX) == 0
    assert await retention.differences() == []


async def test_environments_are_looked_at_some_at_a_time_and_none_is_left_out(
    retention: Retention, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given
    monkeypatch.setattr(store, "ENVIRONMENTS", 2)
    old = [await new_history(retention.settings, 4) for _ in range(5)]
    for environment in old:
        await retention.age(environment)
    # When
    found = [environment async for environment, _ in store.read_oldest_of_each(retention.connection)]
    await retention.prune()
    # Then
    assert found == sorted(old)
    assert await retention.value("SELECT count(*) FROM event_log") == 0
    assert await retention.value("SELECT count(*) FROM inbox") == 0

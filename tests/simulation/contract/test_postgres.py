"""What the loops rely on of Postgres."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from events.commands import (
    CommandData,
    DeploymentRequested,
    PipelineRequested,
    StepBuildReported,
    StepDeleteRequested,
    StepRequested,
)
from events.envelope import Command, Position
from services.composer.batch import BatchState
from services.composer.compose import compose, needs_of
from services.composer.intake import Received
from services.composer.store import Claim, claim_partition, load_state, rows_of, save_rows
from services.kit.eventlog import read_after
from services.kit.lag import NOTHING
from services.kit.postgres import borrowed
from services.relay.position import Published, find_published, note_published, sql
from tests.simulation.contract.conftest import ENVIRONMENT, Edges

TOPIC_ID = UUID(int=7)
NOW = "2026-01-31T12:00:00.000Z"


def asked(data: CommandData, environment: str = ENVIRONMENT, command_id: UUID | None = None) -> Command:
    return Command(command_id or uuid4(), environment, "ada", "/contract", NOW, data)


def step(name: str = "s") -> StepRequested:
    return StepRequested(step_name=name, function_path="a.py", function_name="f")


async def claim(edges: Edges, partition: int = 0, first_offset: int = 0) -> Claim:
    async with borrowed(edges.pool) as connection:
        found = await claim_partition(connection, edges.commands, partition, TOPIC_ID, first_offset, "me")
    assert found.topic_id == TOPIC_ID
    return found.claim


async def save(edges: Edges, held: Claim, *commands: Command, others: tuple[Claim, ...] = ()) -> bool:
    """Decide commands at the claim's offset and on, and save what they change."""
    batch = [(record(held, place), command) for place, command in enumerate(commands)]
    async with borrowed(edges.pool) as connection:
        outcome = compose(batch, await load_state(connection, needs_of(batch)))
        moves = {each: each.next_offset + len(commands) for each in (held, *others)}
        return await save_rows(connection, edges.commands, moves, rows_of(outcome))


def record(held: Claim, place: int) -> Received:
    return Received(held.partition, held.next_offset + place, b"", b"", [], datetime(2026, 1, 31, tzinfo=UTC))


async def load(edges: Edges, command: Command) -> BatchState:
    async with borrowed(edges.pool) as connection:
        return await load_state(connection, needs_of([(record(Claim(0, 0, 0), 0), command)]))


async def logged(edges: Edges, after: Position = NOTHING, limit: int = 100, partition: int = 0) -> Any:
    async with borrowed(edges.pool) as connection:
        return await read_after(connection, partition, after, limit)


async def test_a_new_partition_starts_where_the_log_does_and_every_claim_raises_the_epoch(edges: Edges) -> None:
    assert [await claim(edges, first_offset=3), await claim(edges, first_offset=9)] == [Claim(0, 1, 3), Claim(0, 2, 3)]


async def test_a_save_moves_the_cursor_and_cannot_be_repeated(edges: Edges) -> None:
    held = await claim(edges)
    assert await save(edges, held, asked(step()))
    assert not await save(edges, held, asked(step("other")))
    assert [event.subject for event in await logged(edges)] == ["steps/s"]
    assert await claim(edges) == Claim(0, 2, 1)


async def test_a_claim_of_somebody_else_ends_the_right_to_save(edges: Edges) -> None:
    held = await claim(edges)
    await claim(edges)
    assert not await save(edges, held, asked(step()))
    assert await logged(edges) == []


async def test_one_lost_partition_keeps_the_whole_batch_from_being_saved(edges: Edges) -> None:
    held, lost = await claim(edges, 0), await claim(edges, 1)
    await claim(edges, 1)
    assert not await save(edges, held, asked(step()), others=(lost,))
    assert await logged(edges) == []
    assert await claim(edges, 0) == Claim(0, 2, 0)


async def test_a_command_id_is_taken_once_and_whoever_takes_it_again_changes_nothing(edges: Edges) -> None:
    held, command = await claim(edges), asked(step())
    assert await save(edges, held, command)
    blind = BatchState({ENVIRONMENT: (await load(edges, asked(step("t")))).environments[ENVIRONMENT]})
    second = Claim(0, held.epoch, 1)
    outcome = compose([(record(second, 0), asked(step("t"), command_id=command.id))], blind)
    async with borrowed(edges.pool) as connection:
        with pytest.raises(asyncpg.IntegrityConstraintViolationError):
            await save_rows(connection, edges.commands, {second: 2}, rows_of(outcome))
    assert (await claim(edges)).next_offset == 1
    assert len(await logged(edges)) == 1


async def test_what_was_saved_is_loaded_with_all_that_depends_on_it(edges: Edges) -> None:
    held, request = await claim(edges), asked(step())
    report = asked(StepBuildReported(step_name="s", requested_by=str(request.id), outcome="ready"))
    pipeline = asked(PipelineRequested(pipeline_name="p", step_names=["s"]))
    deployment = asked(DeploymentRequested(name="d", pipeline_name="p", execution_rule="endpoint"))
    for place, command in enumerate((request, report, pipeline, deployment)):
        assert await save(edges, Claim(0, held.epoch, place), command)
    state = (await load(edges, asked(StepDeleteRequested(step_name="s")))).environments[ENVIRONMENT]
    found = (state.sequence, state.steps.version("s"), state.pipelines.version("p"), state.deployments.version("d"))
    assert found == (4, 2, 3, 4)
    assert [each.name for each in state.deployments.children_of("p")] == ["d"]


async def test_a_forced_deletion_is_saved_whole(edges: Edges) -> None:
    held, request = await claim(edges), asked(step())
    report = asked(StepBuildReported(step_name="s", requested_by=str(request.id), outcome="ready"))
    pipeline = asked(PipelineRequested(pipeline_name="p", step_names=["s"]))
    for place, command in enumerate((request, report, pipeline)):
        assert await save(edges, Claim(0, held.epoch, place), command)
    gone = asked(StepDeleteRequested(step_name="s", force_dependents_deletion=True))
    assert await save(edges, Claim(0, held.epoch, 3), gone)
    state = (await load(edges, asked(PipelineRequested(pipeline_name="p", step_names=["s"])))).environments[ENVIRONMENT]
    assert (state.steps.find("s"), state.pipelines.find("p")) == (None, None)
    assert [event.type for event in await logged(edges, Position(2, 0))] == ["PipelineDeleted", "StepDeleted"]


async def test_a_taken_id_is_loaded_with_its_fingerprint_and_an_unknown_environment_is_not_loaded(
    edges: Edges,
) -> None:
    held, command = await claim(edges), asked(step())
    await save(edges, held, command)
    assert list((await load(edges, command)).inbox.values()) == [command.fingerprint()]
    strange = await load(edges, asked(step(), environment="nowhere"))
    assert (strange.environments, strange.inbox) == ({}, {})


async def test_the_log_is_read_in_its_order_behind_a_position(edges: Edges) -> None:
    held = await claim(edges)
    await save(edges, held, *(asked(step(name)) for name in "abcd"))
    first = await logged(edges, limit=3)
    assert [event.position.offset for event in first] == [0, 1, 2]
    assert [event.position.offset for event in await logged(edges, first[-1].position)] == [3]
    assert await logged(edges, partition=1) == []


async def test_a_lock_belongs_to_one_session_until_that_ends(edges: Edges) -> None:
    async with borrowed(edges.pool) as first, borrowed(edges.pool) as second:
        assert await sql.try_lock(first, topic=edges.events, partition=0)
        assert await sql.try_lock(second, topic=edges.events, partition=1)
        assert not await sql.try_lock(second, topic=edges.events, partition=0)
        first.terminate()
        with pytest.raises((asyncpg.InterfaceError, asyncpg.PostgresConnectionError)):
            await first.execute("SELECT 1")
        for _ in range(1000):
            if await sql.try_lock(second, topic=edges.events, partition=0):
                break
        else:
            pytest.fail("the lock outlived its session")


async def test_what_was_noted_as_published_is_found_again(edges: Edges) -> None:
    where = edges.event_partition(2)
    before = await find_published(edges.clients, edges.pool, where)
    await note_published(edges.pool, 2, Published(Position(5, 1), 0))
    assert (before, await find_published(edges.clients, edges.pool, where)) == (
        Published(NOTHING, 0),
        Published(Position(5, 1), 0),
    )

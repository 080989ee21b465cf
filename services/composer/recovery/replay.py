"""Replays an environment's history, a bounded piece at a time, into rows as the composer would have written them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from typing import NamedTuple

from pydantic import ValidationError

from events.envelope import Event, Position
from events.results import (
    RESULTS,
    DeploymentDeleted,
    EnvironmentVariableDeleted,
    EventData,
    PipelineDeleted,
    StepDeleted,
)
from services.composer.batch import BatchState, Outcome
from services.composer.decider.decide import evolve
from services.composer.decider.state import EnvironmentState
from services.composer.store import Rows, rows_of
from services.kit.eventlog import Span, read_history
from services.kit.postgres import Connection
from services.kit.statements import load_queries

PIECE_EVENTS = 2_000
PIECE_BYTES = 8 * 1024 * 1024

_sql = load_queries(__file__)


class Place(NamedTuple):
    """How far a history was replayed: its last sequence, and where that event stands in the log."""

    sequence: int = 0
    partition: int = -1
    position: Position = Position(-1, -1)


BEGINNING = Place()


class Replayed(NamedTuple):
    """What some events make of nothing, the place behind them, and what was wrong with them."""

    state: EnvironmentState
    place: Place
    problems: list[str]


class Piece(NamedTuple):
    """What was replayed in one go, what was wrong with the history itself, and the rows that it leaves."""

    events: int
    place: Place
    problems: list[str]
    rows: Rows


async def read_places(connection: Connection) -> dict[str, int]:
    """Return the last sequence of each environment that has a history."""
    return {row["environment"]: row["sequence"] async for row in _sql.read_places(connection)}


async def read_heads(connection: Connection) -> dict[str, int]:
    """Return the last sequence that was given out in each environment."""
    return {row["environment"]: row["sequence"] async for row in _sql.read_heads(connection)}


async def keep_rows(connection: Connection, piece: Piece) -> None:
    """Put what a piece leaves into the tables beside the live ones."""
    await _sql.keep_rows(connection, **piece.rows)


async def keep_replayed(connection: Connection, environment: str, state: EnvironmentState) -> None:
    """Put what `state` changes into the tables beside the live ones."""
    await _sql.keep_rows(connection, **rows_of(Outcome(BatchState({environment: state}))))


async def replay(
    connection: Connection, environment: str, after: Place, last: int, keep: Callable[[Piece], Awaitable[None]]
) -> AsyncIterator[Piece]:
    """Replay an environment behind `after` up to the place `last`; yield each piece once `keep` has kept it.

    A piece is worked out while the one before it is kept and the one behind it is read. Memory holds these three.
    """
    end = Span([], last, last + 1)
    span = await _read(connection, environment, after.sequence)
    ahead: Piece | None = None
    while span.events or ahead:
        working_out = asyncio.create_task(asyncio.to_thread(_work_out, environment, span, after))
        try:
            if ahead:
                await keep(ahead)
            following = await _read(connection, environment, span.covered) if span.covered < last else end
        finally:
            await asyncio.wait([working_out])
        if ahead:
            yield ahead
        piece = working_out.result()
        ahead, after, span = piece if piece.events else None, piece.place, following


async def _read(connection: Connection, environment: str, after: int) -> Span:
    return await read_history(
        connection, environment, after, types=None, subject="", row_limit=PIECE_EVENTS, byte_limit=PIECE_BYTES
    )


def _work_out(environment: str, span: Span, after: Place) -> Piece:
    state, place, problems = replayed(span.events, after)
    return Piece(len(span.events), place, problems, rows_of(Outcome(BatchState({environment: state}))))


def replayed(events: Iterable[Event], after: Place) -> Replayed:
    """Return what `events`, which stand behind `after`, change of an environment. Pure."""
    state = EnvironmentState()
    problems: list[str] = []
    for event in events:
        problems += _misplaced(event, after)
        problems += _evolve(state, event)
        after = _place_of(event)
    return Replayed(state, after, problems)


def _place_of(event: Event) -> Place:
    return Place(event.sequence or 0, event.partition, event.position)


def _misplaced(event: Event, after: Place) -> Iterator[str]:
    """Say what is wrong with the place of an event that stands behind `after` in the history."""
    if event.sequence != after.sequence + 1:
        yield f"the history has a gap: behind {after.sequence} comes {event.sequence}"
    if event.partition == after.partition and event.position <= after.position:
        yield f"event {event.sequence} stands before its predecessor in the log ({event.partition}-{event.position})"


def _evolve(state: EnvironmentState, event: Event) -> Iterator[str]:
    """Change `state` by an event; say why it cannot be read, when it cannot."""
    model = RESULTS.get(event.type)
    if model is None or event.version != model.version:
        yield f"event {event.sequence} is a {event.type} in version {event.version}, which this version cannot read"
        return
    try:
        data: EventData = model.model_validate_json(event.data)
    except ValidationError as error:
        yield f"event {event.sequence} is no {event.type}: {error.error_count()} fields are wrong"
        return
    _expect(state, data)
    evolve(state, data, event.sequence or 0)


def _expect(state: EnvironmentState, data: EventData) -> None:
    """Let a resource go that an earlier piece has put there: this one does not know its name."""
    match data:
        case StepDeleted():
            state.steps.load(data.step.step_name, None)
        case PipelineDeleted():
            state.pipelines.load(data.pipeline.pipeline_name, None)
        case DeploymentDeleted():
            state.deployments.load(data.deployment.name, None)
        case EnvironmentVariableDeleted():
            state.variables.load(data.environment_variable.name, None)
        case _:
            pass

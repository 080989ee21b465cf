"""Reads what may go, and takes it out of the event log and the inbox while the baseline takes its place."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from events.envelope import Event, Position
from services.composer.decider.state import EnvironmentState, Kept, Shelf
from services.composer.recovery.replay import Place
from services.composer.retention.what_may_go import Bounds, Candidate
from services.kit.eventlog import event_of
from services.kit.postgres import Connection
from services.kit.statements import load_queries

# So many environments are looked at in one statement.
ENVIRONMENTS = 5_000

sql = load_queries(__file__)


@dataclass(frozen=True, slots=True)
class Ends:
    """What the commands topic held at a moment, by the clock of Postgres: all up to the end of each partition."""

    at: datetime
    topic: str
    topic_id: UUID | None
    offsets: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Oldest:
    """One of the oldest events, and whether it may go."""

    event: Event
    candidate: Candidate


async def are_decided(connection: Connection, ends: Ends) -> bool:
    """Tell whether everything that the topic held then is decided, so that a repeat still to come is a later record."""
    decided: bool = await sql.is_decided(
        connection,
        topic=ends.topic,
        topic_id=ends.topic_id,
        partitions=list(ends.offsets),
        ends=list(ends.offsets.values()),
    )
    return decided


async def read_oldest_of_each(connection: Connection) -> AsyncIterator[tuple[str, datetime | None]]:
    """Yield each environment with a history and when its oldest event was decided; None: the inbox does not know."""
    after = ""
    while True:
        rows = [row async for row in sql.read_oldest_of_each(connection, after=after, page_size=ENVIRONMENTS)]
        for row in rows:
            yield row["environment"], row["decided_at"]
        if len(rows) < ENVIRONMENTS:
            return
        after = rows[-1]["environment"]


async def read_oldest(
    connection: Connection, environment: str, after: int, *, row_limit: int, byte_limit: int
) -> list[Oldest]:
    """Return the next events of a history behind place `after`."""
    rows = sql.read_oldest(connection, environment=environment, after=after, row_limit=row_limit, byte_limit=byte_limit)
    return [_oldest(row) async for row in rows]


def _oldest(row: Any) -> Oldest:
    position = Position(row["log_offset"], row["log_index"])
    candidate = Candidate(row["sequence"], row["partition"], position, row["is_result"], row["decided_at"])
    return Oldest(event_of(row), candidate)


async def read_bounds(connection: Connection, environment: str, decided_before: datetime) -> Bounds:
    """Return what has to be behind an event of an environment before it goes."""
    published = {
        row["partition"]: Position(row["log_offset"], row["log_index"]) async for row in sql.read_published(connection)
    }
    told = await sql.read_told_up_to(connection, environment=environment, decided_before=decided_before)
    return Bounds(decided_before, published, told)


async def keep_baseline(connection: Connection, environment: str, state: EnvironmentState) -> None:
    """Write what `state` changes into the baseline of an environment."""
    kept: list[tuple[str, str, Kept[Any]]] = []
    gone: list[tuple[str, str]] = []
    shelves: dict[str, Shelf[Any]] = {
        "step": state.steps,
        "pipeline": state.pipelines,
        "deployment": state.deployments,
        "environment_variable": state.variables,
    }
    for kind, shelf in shelves.items():
        for name, resource in shelf.changes():
            if resource is None:
                gone.append((kind, name))
            else:
                kept.append((kind, name, resource))
    await sql.keep_baseline(
        connection,
        environment=environment,
        kinds=[kind for kind, _, _ in kept],
        names=[name for _, name, _ in kept],
        versions=[each.version for _, _, each in kept],
        bodies=[each.resource.model_dump_json() for _, _, each in kept],
        gone_kinds=[kind for kind, _ in gone],
        gone_names=[name for _, name in gone],
    )


async def take_out(connection: Connection, environment: str, events: Sequence[Event], place: Place) -> tuple[int, int]:
    """Delete whole commands from the front of a history, and note where it begins now; how many events and commands."""
    command_ids = [event.command_id for event in events if event.is_result]
    await sql.remember_replays(connection, environment=environment, command_ids=command_ids)
    commands: int = await sql.forget_commands(connection, environment=environment, command_ids=command_ids)
    deleted: int = await sql.delete_events(connection, environment=environment, last=place.sequence)
    await sql.move_horizon(
        connection,
        environment=environment,
        sequence=place.sequence,
        partition=place.partition,
        log_offset=place.position.offset,
        log_index=place.position.index,
    )
    return deleted, commands

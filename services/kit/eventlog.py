"""Reads the event log that the composer writes: in the present versions, except for the relay, which retells it."""

from collections.abc import Collection, Sequence
from typing import NamedTuple
from uuid import UUID

import asyncpg

from events.envelope import Event, Position, timestamp
from events.upcasting import present
from services.kit.notices import Ranges
from services.kit.postgres import Connection
from services.kit.statements import load_queries

_sql = load_queries(__file__)


class Decided(NamedTuple):
    """A command's result, and the fingerprint of what was asked under its id."""

    event: Event
    fingerprint: bytes


class Span(NamedTuple):
    """The events of a piece of an environment's history that are wanted, and the last place of that piece.

    It `begins` right behind the place that was asked for, or later where the history was pruned.
    """

    events: list[Event]
    covered: int
    begins: int


class Extent(NamedTuple):
    """The last place of a history, and the last one that was pruned; 0 when there is none."""

    head: int
    pruned_up_to: int


async def read_ranges(
    connection: Connection, ranges: Ranges, command_ids: Collection[UUID], subjects: Collection[str]
) -> list[Event]:
    """Return the events under `ranges` that are of one of the commands or about one of the subjects."""
    rows = _sql.read_ranges(
        connection,
        partitions=list(ranges),
        firsts=[first for first, _ in ranges.values()],
        lasts=[last for _, last in ranges.values()],
        command_ids=list(command_ids),
        subjects=list(subjects),
    )
    return [event_of(row) async for row in rows]


async def read_after(connection: Connection, partition: int, position: Position, limit: int) -> list[Event]:
    """Return up to `limit` events of a partition behind `position`, as they were written."""
    rows = _sql.read_after(
        connection, partition=partition, log_offset=position.offset, log_index=position.index, row_limit=limit
    )
    return [_event(row) async for row in rows]


async def read_result(connection: Connection, environment: str, command_id: UUID) -> Decided | None:
    """Return the result of a command, or None when it has none (yet)."""
    row = await _sql.read_result(connection, environment=environment, command_id=command_id)
    return None if row is None else Decided(event_of(row), row["fingerprint"])


async def read_environments(connection: Connection, ranges: Ranges, environments: Collection[str]) -> list[str]:
    """Return which of `environments` have events under `ranges`."""
    rows = _sql.read_environments(
        connection,
        partitions=list(ranges),
        firsts=[first for first, _ in ranges.values()],
        lasts=[last for _, last in ranges.values()],
        environments=list(environments),
    )
    return [row["environment"] async for row in rows]


async def read_head(connection: Connection, environment: str) -> int:
    """Return the last place of an environment's history; 0 when nothing has happened in it."""
    return await _sql.read_head(connection, environment=environment) or 0


async def read_extent(connection: Connection, environment: str) -> Extent:
    """Return where an environment's history begins and ends."""
    row = await _sql.read_extent(connection, environment=environment)
    return Extent(row["head"], row["pruned_up_to"])


async def read_history(
    connection: Connection,
    environment: str,
    after: int,
    *,
    types: Sequence[str] | None,
    subject: str,
    pipeline: str | None = None,
    row_limit: int,
    byte_limit: int,
) -> Span:
    """Return the events behind place `after` that are of one of `types` (None: of any) and about a `subject…`.

    With a `pipeline` only those of the pipeline itself and of its deployments.
    """
    rows = _sql.read_history(
        connection,
        environment=environment,
        after=after,
        types=types,
        subject=subject,
        pipeline=pipeline,
        row_limit=row_limit,
        byte_limit=byte_limit,
    )
    found = [row async for row in rows]
    covered, begins = (found[-1]["covered"], found[-1]["begins"]) if found else (after, after + 1)
    return Span([event_of(row) for row in found if row["is_wanted"]], covered, begins)


def event_of(row: asyncpg.Record) -> Event:
    """Return the event of a row of the log as it is told today."""
    return present(_event(row))


def _event(row: asyncpg.Record) -> Event:
    return Event(
        partition=row["partition"],
        position=Position(row["log_offset"], row["log_index"]),
        environment=row["environment"],
        sequence=row["sequence"],
        type=row["type"],
        version=row["version"],
        subject=row["subject"],
        command_id=UUID(int=row["command_id"].int),
        command_source=row["command_source"],
        is_result=row["is_result"],
        actor=row["actor"],
        time=timestamp(row["time"]),
        data=row["data"],
        traceparent=row["traceparent"],
    )

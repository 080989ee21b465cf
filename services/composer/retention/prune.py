"""Prunes histories: a bounded piece of one environment in one transaction, after which all is as whole as before."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from services.composer.recovery.baseline import read_horizon
from services.composer.recovery.replay import replayed
from services.composer.retention.store import (
    Ends,
    are_decided,
    keep_baseline,
    read_bounds,
    read_oldest,
    read_oldest_of_each,
    sql,
    take_out,
)
from services.composer.retention.what_may_go import Hold, may_go
from services.kit.postgres import Connection

PIECE_BYTES = 8 * 1024 * 1024
# A record may stand in the topic that long before it can be read, while the transaction of its producer is open.
MARGIN = timedelta(hours=1)


class UnreadableHistoryError(Exception):
    """A history cannot be replayed, so nothing of it is pruned; the message says why."""


class NotDecidedError(Exception):
    """Commands that the topic held are not decided yet: what they repeat has to be known still."""


class Pace(NamedTuple):
    """How many events go at once, and how long nothing goes after that."""

    batch_events: int
    pause_s: float


class Piece(NamedTuple):
    """What went in one transaction, and what holds the next event."""

    events: int
    commands: int
    hold: Hold | None


@dataclass(slots=True)
class Pruned:
    """What went in a round; why the environments whose oldest events are old enough still have them."""

    events: int = 0
    commands: int = 0
    strays: int = 0
    held: dict[str, Hold] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)


BUSY = Piece(0, 0, None)
Notice = Callable[[Piece], None]


def decided_before(ends: Ends, keep_days: float) -> datetime:
    """Return before when a command has to have been decided to go, counted from when the topic ended at `ends`."""
    return ends.at - timedelta(days=keep_days) - MARGIN


async def prune(connection: Connection, ends: Ends, keep_days: float, pace: Pace, on_piece: Notice) -> Pruned:
    """Prune every history as far as it may be, piece by piece.

    Raises NotDecidedError, and what Postgres does; the pieces that went before stay gone, and nothing is half gone.
    """
    done = Pruned()
    before = decided_before(ends, keep_days)
    async for environment, oldest in read_oldest_of_each(connection):
        if oldest is None or oldest < before:
            await _prune_environment(connection, environment, ends, before, pace, on_piece, done)
    done.strays = await _prune_strays(connection, before, pace)
    return done


async def _prune_environment(
    connection: Connection,
    environment: str,
    ends: Ends,
    before: datetime,
    pace: Pace,
    on_piece: Notice,
    done: Pruned,
) -> None:
    while True:
        try:
            piece = await prune_piece(connection, environment, ends, before, pace.batch_events)
        except UnreadableHistoryError as error:
            done.unreadable[environment] = str(error)
            return
        if piece.events:
            done.events, done.commands = done.events + piece.events, done.commands + piece.commands
            on_piece(piece)
        if piece.hold not in (None, Hold.YOUNG):
            done.held[environment] = piece.hold
        if piece.hold is not None or not piece.events:
            return
        await asyncio.sleep(pace.pause_s)


async def prune_piece(
    connection: Connection, environment: str, ends: Ends, before: datetime, batch_events: int
) -> Piece:
    """Take the next piece out of a history in one transaction. Raises NotDecidedError and UnreadableHistoryError."""
    async with connection.transaction():
        if not await sql.lock_histories(connection):
            return BUSY
        if not await are_decided(connection, ends):
            raise NotDecidedError
        horizon = await read_horizon(connection, environment)
        oldest = await read_oldest(
            connection, environment, horizon.sequence, row_limit=batch_events, byte_limit=PIECE_BYTES
        )
        bounds = await read_bounds(connection, environment, before)
        count, hold = may_go([each.candidate for each in oldest], bounds)
        events = [each.event for each in oldest[:count]]
        if not events:
            return Piece(0, 0, hold)
        state, place, problems = replayed(events, horizon)
        if problems:
            raise UnreadableHistoryError(problems[0])
        await keep_baseline(connection, environment, state)
        return Piece(*await take_out(connection, environment, events, place), hold)


async def _prune_strays(connection: Connection, before: datetime, pace: Pace) -> int:
    gone = 0
    while True:
        piece: int = await sql.delete_strays(connection, before=before, row_limit=pace.batch_events)
        gone += piece
        if piece < pace.batch_events:
            return gone
        await asyncio.sleep(pace.pause_s)


async def rehearse(connection: Connection, ends: Ends, keep_days: float, pace: Pace) -> Pruned:
    """Return what `prune` would take, and change nothing. Raises as `prune` does."""
    done = Pruned()
    before = decided_before(ends, keep_days)
    if not await are_decided(connection, ends):
        raise NotDecidedError
    async for environment, oldest in read_oldest_of_each(connection):
        if oldest is None or oldest < before:
            await _rehearse_environment(connection, environment, before, pace, done)
    return done


async def _rehearse_environment(
    connection: Connection, environment: str, before: datetime, pace: Pace, done: Pruned
) -> None:
    bounds = await read_bounds(connection, environment, before)
    place = await read_horizon(connection, environment)
    while True:
        oldest = await read_oldest(
            connection, environment, place.sequence, row_limit=pace.batch_events, byte_limit=PIECE_BYTES
        )
        count, hold = may_go([each.candidate for each in oldest], bounds)
        events = [each.event for each in oldest[:count]]
        _, place, problems = replayed(events, place)
        if problems:
            done.unreadable[environment] = problems[0]
            return
        done.events += count
        done.commands += sum(event.is_result for event in events)
        if hold not in (None, Hold.YOUNG):
            done.held[environment] = hold
        if hold is not None or not count:
            return

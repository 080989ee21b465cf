"""Hints that a batch was committed: one NOTIFY a batch, which may be lost and never lies.

The result of a command that comes alone is in it, so that the one who waits need not read it.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any, NamedTuple
from uuid import UUID

import structlog
from pydantic_core import from_json, to_json

from events.envelope import Event, Position
from services.kit.postgres import COMMAND_TIMEOUT_S, POSTGRES_TROUBLE, connect
from services.kit.settings import PostgresSettings

CHANNEL = "pipeloom_decided"
# Postgres takes less than 8,000 bytes.
MAX_PAYLOAD = 7_900
RECONNECT_S = 0.5
PROBE_S = 10.0

_NAMES = [each.name for each in fields(Event) if each.name not in {"position", "command_id"}]

Ranges = dict[int, tuple[int, int]]
"""Partition → first and last offset under which the batch logged events."""

log = structlog.get_logger(repeats=True)


class Notice(NamedTuple):
    """What a hint says: where a batch's events stand in the log, and the events themselves when they are few."""

    ranges: Ranges
    events: Sequence[Event] | None


NOTHING_SAID = Notice({}, None)


def decided_notice(events: Sequence[Event]) -> str:
    """Return the payload that tells of a batch's events, or else where they stand; empty when that is too long too."""
    ranges: Ranges = {}
    for event in events:
        offset = event.position.offset
        first, last = ranges.get(event.partition, (offset, offset))
        ranges[event.partition] = (min(first, offset), max(last, offset))
    whole = sum(len(event.data) for event in events) < MAX_PAYLOAD
    for told in ([ranges, [_fields(event) for event in events]],) * whole + ([ranges],):
        payload = to_json(told)
        if len(payload) <= MAX_PAYLOAD:
            return payload.decode()
    return ""


def read_notice(payload: str) -> Notice:
    """Return what a payload says. Raises ValueError on one that is not ours."""
    if not payload:
        return NOTHING_SAID
    ranges, *events = from_json(payload)
    at = {int(partition): (first, last) for partition, (first, last) in ranges.items()}
    return Notice(at, [_event(fields) for fields in events[0]] if events else None)


def _fields(event: Event) -> list[Any]:
    fields = [getattr(event, name) for name in _NAMES]
    return [event.position.offset, event.position.index, str(event.command_id), *fields]


def _event(fields: list[Any]) -> Event:
    offset, index, command_id, *others = fields
    return Event(
        position=Position(offset, index), command_id=UUID(command_id), **dict(zip(_NAMES, others, strict=True))
    )


async def listen(postgres: PostgresSettings, on_notice: Callable[[Notice], None]) -> None:
    """Call `on_notice` for every hint until cancelled, connecting again whenever the connection is lost."""
    while True:
        try:
            await _listen_once(postgres, on_notice)
        except POSTGRES_TROUBLE as error:
            log.warning("the hints of commits are interrupted", error=str(error) or type(error).__name__)
        await asyncio.sleep(RECONNECT_S)


async def _listen_once(postgres: PostgresSettings, on_notice: Callable[[Notice], None]) -> None:
    connection = await connect(postgres)
    lost = asyncio.Event()
    try:
        connection.add_termination_listener(lambda _: lost.set())
        await connection.add_listener(CHANNEL, lambda _c, _p, _n, payload: on_notice(read_notice(str(payload))))
        while not lost.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(lost.wait(), PROBE_S)
            if not lost.is_set():
                await connection.execute("SELECT 1", timeout=COMMAND_TIMEOUT_S)
    finally:
        connection.terminate()

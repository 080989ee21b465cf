"""Hints that a batch was committed: one NOTIFY a batch, which may be lost and never lies."""

import asyncio
import contextlib
import json
from collections.abc import Callable, Iterable

import structlog

from events.envelope import Event
from services.kit.postgres import COMMAND_TIMEOUT_S, POSTGRES_TROUBLE, connect
from services.kit.settings import PostgresSettings

CHANNEL = "pipeloom_decided"
MAX_PAYLOAD = 7_900
RECONNECT_S = 0.5
PROBE_S = 10.0

Ranges = dict[int, tuple[int, int]]
"""Partition → first and last offset under which the batch logged events."""

log = structlog.get_logger(repeats=True)


def decided_notice(events: Iterable[Event]) -> str:
    """Return the payload that tells where a batch's events stand in the log; empty when it would be too long."""
    ranges: Ranges = {}
    for event in events:
        offset = event.position.offset
        first, last = ranges.get(event.partition, (offset, offset))
        ranges[event.partition] = (min(first, offset), max(last, offset))
    payload = json.dumps(ranges, separators=(",", ":"))
    return payload if len(payload) <= MAX_PAYLOAD else ""


def read_notice(payload: str) -> Ranges:
    """Return the ranges of a payload; none when it is empty."""
    if not payload:
        return {}
    return {int(partition): (first, last) for partition, (first, last) in json.loads(payload).items()}


async def listen(postgres: PostgresSettings, on_notice: Callable[[Ranges], None]) -> None:
    """Call `on_notice` for every hint until cancelled, connecting again whenever the connection is lost."""
    while True:
        try:
            await _listen_once(postgres, on_notice)
        except POSTGRES_TROUBLE as error:
            log.warning("the hints of commits are interrupted", error=str(error) or type(error).__name__)
        await asyncio.sleep(RECONNECT_S)


async def _listen_once(postgres: PostgresSettings, on_notice: Callable[[Ranges], None]) -> None:
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

"""Pages of an environment's history as they go to readers, each read once for all readers at the same place."""

import asyncio
import time
from collections import OrderedDict
from typing import NamedTuple

from fastapi.sse import format_sse_event

from events.envelope import Event
from events.refusals import Refused
from events.structured import event_as_json
from services.kit.eventlog import Extent, read_extent, read_history
from services.kit.postgres import Pool
from services.kit.reading import reading

ROWS = 500
BYTES = 256 * 1024
AT_ONCE = 2
KEPT = 32
PAUSE_S = 1.0


class Wanted(NamedTuple):
    """What a reader wants to be told: of which environment, of which types, subjects and pipeline (None: any)."""

    environment: str
    types: tuple[str, ...] | None
    subject: str
    pipeline: str | None


class Page(NamedTuple):
    """The next events of a history as bytes, and the last place that was looked at for them.

    It has a gap when what should come first was pruned since the reader began.
    """

    chunk: bytes
    covered: int
    has_gap: bool = False


class EventPages:
    """Reads the event log for all streams of a process, with few connections and little memory.

    A history only grows at its end, so a page that was read stays right. Readers that are woken together are at the
    same place: the first ones read, the others get the same bytes.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._kept: OrderedDict[tuple[Wanted, int], Page] = OrderedDict()
        self._resting_until = 0.0

    async def extent(self, environment: str) -> Extent:
        """Return where an environment's history begins and ends. Raises Refused postgres_unavailable."""
        async with reading(self._pool) as connection:
            return await read_extent(connection, environment)

    async def behind(self, wanted: Wanted, after: int) -> Page | None:
        """Return the page behind a place, which covers nothing at the end; None while Postgres cannot be read.

        After a failure nobody tries for PAUSE_S, so that no reader waits behind the attempts of all others.
        """
        async with self._turns:
            page = self._kept.get((wanted, after))
            if page is not None or time.monotonic() < self._resting_until:
                return page
            try:
                page = await self._read(wanted, after)
            except Refused:
                self._resting_until = time.monotonic() + PAUSE_S
                return None
            self._keep(wanted, after, page)
            return page

    async def _read(self, wanted: Wanted, after: int) -> Page:
        async with reading(self._pool) as connection:
            span = await read_history(
                connection,
                wanted.environment,
                after,
                types=wanted.types,
                subject=wanted.subject,
                pipeline=wanted.pipeline,
                row_limit=ROWS,
                byte_limit=BYTES,
            )
        return Page(b"".join(map(_told, span.events)), span.covered, span.begins > after + 1)

    def _keep(self, wanted: Wanted, after: int, page: Page) -> None:
        if page.covered == after or len(page.chunk) > 2 * BYTES:
            return
        self._kept[wanted, after] = page
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)


def _told(event: Event) -> bytes:
    return format_sse_event(event=event.type, id=str(event.sequence), data_str=event_as_json(event))

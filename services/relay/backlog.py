"""Looks now and then how much of the event log is not published, and for how long that has been so."""

import asyncio
from collections import deque
from collections.abc import Mapping
from itertools import pairwise
from typing import NamedTuple

import structlog

from events.envelope import Position
from services.kit.lag import NOTHING, read_unpublished
from services.kit.postgres import POSTGRES_TROUBLE, Connection, Pool, borrowed
from services.kit.progress import Place, Seen
from services.relay.metrics import LAG, OLDEST
from services.relay.position import sql

EVERY_S = 2.0
WHAT = "event log"
MOST_SIGHTINGS = 256

log = structlog.get_logger()


class Sighting(NamedTuple):
    """When the log was first seen to reach a position."""

    at_s: float
    end: Position


class Backlog:
    """What is known of one partition: how far the log reached when. No clock of a producer has a part in it."""

    def __init__(self) -> None:
        self._sightings: deque[Sighting] = deque()

    def age_s(self, now_s: float, end: Position, published: Position) -> float:
        """Return for how long the log has been seen to hold something behind `published`; it ends at `end` now."""
        if not self._sightings or self._sightings[-1].end < end:
            self._sightings.append(Sighting(now_s, end))
        while self._sightings and self._sightings[0].end <= published:
            self._sightings.popleft()
        if len(self._sightings) > MOST_SIGHTINGS:
            self._thin_out()
        return now_s - self._sightings[0].at_s if self._sightings else 0.0

    def _thin_out(self) -> None:
        """Let every second sighting go into the one before it, which makes what came later look older, not younger."""
        sightings = list(self._sightings)
        kept = [Sighting(first.at_s, second.end) for first, second in list(pairwise(sightings))[::2]]
        self._sightings = deque([*kept, *sightings[2 * len(kept) :]])


class BacklogWatch:
    """Tells the lag of the partitions that this relay owns."""

    def __init__(self, pool: Pool) -> None:
        self.published: dict[int, Position] = {}
        self.seen: dict[Place, Seen] = {}
        self._pool = pool
        self._backlogs: dict[int, Backlog] = {}

    async def run(self, owned: Mapping[int, object]) -> None:
        """Look every EVERY_S seconds until cancelled; what cannot be seen stays as it was told last."""
        while True:
            try:
                await self._look(list(owned))
            except POSTGRES_TROUBLE as error:
                log.info("the relay's lag cannot be read", error=repr(error))
            await asyncio.sleep(EVERY_S)

    async def _look(self, owned: list[int]) -> None:
        self._forget(self._backlogs.keys() - set(owned))
        if not owned:
            return
        async with borrowed(self._pool) as connection:
            for partition in owned:
                await self._look_at(connection, partition)

    async def _look_at(self, connection: Connection, partition: int) -> None:
        published = self.published.get(partition) or await _noted(connection, partition)
        unpublished, end = await read_unpublished(connection, partition, published)
        # What was published meanwhile is no lag.
        published = max(published, self.published.get(partition, published))
        backlog = self._backlogs.setdefault(partition, Backlog())
        age_s = backlog.age_s(asyncio.get_running_loop().time(), end, published)
        waiting = unpublished if end > published else 0
        self.seen[Place(WHAT, partition)] = Seen(waiting, published)
        LAG.labels(str(partition)).set(waiting)
        OLDEST.labels(str(partition)).set(age_s)

    def _forget(self, partitions: set[int]) -> None:
        for partition in partitions:
            del self._backlogs[partition]
            self.published.pop(partition, None)
            self.seen.pop(Place(WHAT, partition), None)
            LAG.remove(str(partition))
            OLDEST.remove(str(partition))


async def _noted(connection: Connection, partition: int) -> Position:
    row = await sql.read_position(connection, partition=partition)
    return NOTHING if row is None else Position(row["log_offset"], row["log_index"])

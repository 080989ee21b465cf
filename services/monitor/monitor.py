"""Folds what comes, and in each turn saves, measures, notices what is overdue, and tells."""

import time
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager

import structlog
from aiokafka.errors import KafkaError

from services.kit.health import Health
from services.kit.postgres import POSTGRES_TROUBLE, Pool, borrowed, open_pool
from services.kit.progress import Place as Work
from services.kit.progress import Seen
from services.kit.reasons import reason_of
from services.kit.settings import Settings
from services.kit.watchdog import TURNS
from services.monitor import metrics
from services.monitor.intake import COMMANDS, EVENTS, Intake, Taken
from services.monitor.ledger import Ledger, Place
from services.monitor.measure import Behind, Meter
from services.monitor.overdue import candidates, notice
from services.monitor.progress import Progress, Source
from services.monitor.snapshots import tell_parts
from services.monitor.stream import Stream
from services.monitor.telling import Telling

STREAM_PART, POSTGRES_PART = "stream", "postgres"
WHAT = {COMMANDS: "commands to fold", EVENTS: "events to fold"}
ASK_S = 5.0
TROUBLE: Mapping[str, tuple[type[Exception], ...]] = {
    STREAM_PART: (KafkaError, OSError, TimeoutError),
    POSTGRES_PART: POSTGRES_TROUBLE,
}

log = structlog.get_logger()


class Monitor:
    """The ledger, and the ways in which it is filled, saved and told."""

    def __init__(self, settings: Settings, health: Health, partitions: int) -> None:
        self._settings = settings
        self._health = health
        self._ledger = Ledger()
        self._progress = Progress()
        self._intake = Intake(self._ledger, settings.monitor.keep_minutes)
        self._meter = Meter(settings, partitions)
        self._ends: Mapping[Source, int] = {}
        self._troubles: defaultdict[str, list[str]] = defaultdict(list)
        self._pool: Pool = open_pool(settings.postgres, size=2)
        self.stream = Stream(
            settings.kafka,
            settings.monitor,
            partitions,
            take=self._take,
            lost=self._lose,
            restored=self._ledger.restore,
        )
        self._telling = Telling(self._ledger, self.stream, settings.monitor.overdue_after_s, partitions)

    async def turn(self) -> None:
        """Do all of it once. What fails is told, and keeps nothing else from its part."""
        if self.stream.is_rebalancing:
            self._health.ill(STREAM_PART, "partitions are changing hands")
            return
        at_ms = now_ms()
        async with self._trying(STREAM_PART, "what the topics hold cannot be measured"):
            await self._measure(at_ms)
        async with self._trying(STREAM_PART, "what has changed cannot be saved or announced"):
            await self._save_and_announce()
        async with self._trying(POSTGRES_PART, "Postgres does not answer"), borrowed(self._pool, ASK_S) as connection:
            await self._telling.tell(connection, self._progress.complete_until)
        self._telling.set_metrics(await self._tell_parts(at_ms))
        await self._tell_health()
        self._health.turned()

    async def look(self) -> Mapping[Work, Seen]:
        """Return how far both topics are folded, for the watchdog. Raises what Kafka did, which answers otherwise."""
        await self._meter.ask()
        return {TURNS: Seen(1, self._health.turns)} | {
            Work(WHAT[topic], partition): Seen(
                self._progress.behind(Source(topic, partition)), self._progress.folded.get(Source(topic, partition))
            )
            for topic in WHAT
            for partition in self._progress.partitions
        }

    async def save(self) -> Collection[Place]:
        """Write what has changed to the changelog, and acknowledge what was read. Return what could not be written."""
        taken = self._ledger.take_unsaved()
        try:
            with metrics.SAVE_SECONDS.time():
                failed = await self.stream.save(self._ledger.writings(taken))
        except BaseException:
            self._ledger.not_saved(taken, taken.changes)
            raise
        self._ledger.not_saved(taken, failed)
        if failed:
            error = next(iter(failed.values()))
            self._troubles[STREAM_PART].append(f"{len(failed)} of the environments cannot be saved: {reason_of(error)}")
        return failed

    async def open(self) -> None:
        """Make the pool ready; it connects when it is needed."""
        await self._pool

    async def close(self) -> None:
        """Let go of the servers."""
        await self._meter.close()
        self._pool.terminate()

    def _take(self, record: Taken) -> Place | None:
        place = self._intake.take(record)
        self._progress.note(Source(record.topic, record.partition), record.offset)
        return place

    def _lose(self) -> None:
        self._ledger.forget()
        self._progress.forget()

    @asynccontextmanager
    async def _trying(self, server: str, what_fails: str) -> AsyncIterator[None]:
        """Do a part of the turn; when its server fails in it the other parts are done nevertheless."""
        try:
            yield
        except TROUBLE[server] as error:
            self._troubles[server].append(f"{what_fails}: {reason_of(error)}")

    async def _measure(self, at_ms: int) -> None:
        self._ends = {}
        ends = await self._meter.ends()
        self._progress.measure(at_ms, ends, await self.stream.fetched())
        self._ends = ends

    async def _save_and_announce(self) -> None:
        unsaved = await self.save()
        await self._notice()
        if self._telling.has_notices:
            unsaved = await self.save()  # who is told that it is overdue is told so once, whatever happens in between
            await self._telling.announce(unsaved)

    async def _notice(self) -> None:
        after_s = self._settings.monitor.overdue_after_s
        for partition, until_ms in list(self._progress.complete_until.items()):
            late = {
                place: offsets
                for place, each in self._ledger.of(partition)
                if (offsets := candidates(each, until_ms, after_s))
            }
            if not late:
                continue
            settled = await self._settled(partition, [each for offsets in late.values() for each in offsets])
            for place, offsets in late.items():
                activity = self._ledger.activities.get(place)
                if activity is not None and notice(activity, offsets, settled, now_ms()):
                    self._ledger.changed(place)

    async def _settled(self, partition: int, offsets: list[int]) -> set[int]:
        """Return which commands only repeat others. While Postgres cannot say so, none: nothing is decided then."""
        async with self._trying(POSTGRES_PART, "Postgres does not answer"), borrowed(self._pool, ASK_S) as connection:
            return await self._meter.settled(connection, partition, offsets)
        return set()

    async def _tell_parts(self, at_ms: int) -> list[Behind]:
        """Measure how far behind each part is, and tell it; nothing when nobody knows where the topics end."""
        if not self._ends:
            return []
        unread = self._unread()
        parts = [
            Behind("monitor", each, records + self._progress.behind(Source(COMMANDS, each)))
            for each, records in unread.items()
        ]
        async with self._trying(STREAM_PART, "how far the builder is behind cannot be measured"):
            parts += await self._meter.builder(self._ends)
        async with self._trying(POSTGRES_PART, "Postgres does not answer"), borrowed(self._pool, ASK_S) as connection:
            async with self._trying(POSTGRES_PART, "how far the composer is behind cannot be measured"):
                parts += await self._meter.composer(connection, self._ends)
            async with self._trying(POSTGRES_PART, "how far the relay is behind cannot be measured"):
                parts += await self._meter.relay(connection, self._ledger.published(), unread)
            await tell_parts(connection, parts, at_ms)
        return parts

    def _unread(self) -> dict[int, int]:
        """Return how much of each events partition is not read here; of the others another monitor tells."""
        return {each: self._progress.behind(Source(EVENTS, each)) for each in self._progress.partitions}

    async def _tell_health(self) -> None:
        for server in TROUBLE:
            reasons = self._troubles.pop(server, [])
            if not reasons:
                self._health.well(server)
                continue
            if self._health.is_well(server):
                log.warning("the monitor is in trouble", part=server, reasons=reasons)
            self._health.ill(server, "; ".join(reasons))
            if server == STREAM_PART:
                await self._meter.close()


def now_ms() -> int:
    """Return the time of day in milliseconds."""
    return time.time_ns() // 1_000_000

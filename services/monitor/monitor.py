"""Folds what comes, and in each turn saves, measures, notices what is overdue, and tells."""

import time
from collections.abc import Mapping

import structlog
from aiokafka.errors import KafkaError

from services.kit.health import Health
from services.kit.postgres import POSTGRES_TROUBLE, Pool, borrowed, open_pool
from services.kit.reasons import reason_of
from services.kit.settings import Settings
from services.monitor import metrics
from services.monitor.intake import COMMANDS, EVENTS, Intake, Taken
from services.monitor.ledger import Ledger
from services.monitor.measure import Behind, Meter
from services.monitor.overdue import candidates, notice
from services.monitor.progress import Progress, Source
from services.monitor.stream import Stream
from services.monitor.telling import Telling

STREAM_PART, POSTGRES_PART = "stream", "postgres"
ASK_S = 5.0

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
        """Do all of it once. Trouble with one server is told, and does not keep the other one from its part."""
        if self.stream.is_rebalancing:
            self._health.ill(STREAM_PART, "partitions are changing hands")
            return
        try:
            at_ms, ends = await self._measure()
            await self.save()
            await self._notice()
            if self._telling.has_notices:
                await self.save()  # who is told that it is overdue is told so once, whatever happens in between
                await self._telling.announce()
            parts = await self._meter.builder(ends)
        except (KafkaError, OSError, TimeoutError) as error:
            self._trouble(STREAM_PART, f"Kafka does not answer as it should: {reason_of(error)}")
            await self._meter.close()
            return
        self._health.well(STREAM_PART)
        await self._tell(at_ms, ends, parts)

    async def save(self) -> None:
        """Write what has changed to the changelog, and acknowledge what was read."""
        places, changed = self._ledger.take_unsaved()
        try:
            with metrics.SAVE_SECONDS.time():
                await self.stream.save(changed)
        except BaseException:
            self._ledger.unsaved |= places
            raise

    async def open(self) -> None:
        """Make the pool ready; it connects when it is needed."""
        await self._pool

    async def close(self) -> None:
        """Let go of the servers."""
        await self._meter.close()
        self._pool.terminate()

    def _take(self, record: Taken) -> None:
        self._intake.take(record)
        self._progress.note(Source(record.topic, record.partition), record.offset)

    def _lose(self) -> None:
        self._ledger.forget()
        self._progress.forget()

    async def _measure(self) -> tuple[int, Mapping[Source, int]]:
        at_ms = now_ms()
        ends = await self._meter.ends()
        self._progress.measure(at_ms, ends, await self.stream.fetched())
        return at_ms, ends

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
                    self._ledger.at(place)

    async def _settled(self, partition: int, offsets: list[int]) -> set[int]:
        """Return which commands only repeat others. While Postgres cannot say so, none: nothing is decided then."""
        try:
            async with borrowed(self._pool, ASK_S) as connection:
                return await self._meter.settled(connection, partition, offsets)
        except POSTGRES_TROUBLE as error:
            self._trouble(POSTGRES_PART, f"Postgres does not answer: {reason_of(error)}")
            return set()

    async def _tell(self, at_ms: int, ends: Mapping[Source, int], parts: list[Behind]) -> None:
        progress, published = self._progress, self._ledger.published()
        held = progress.partitions  # of the others another monitor tells
        unread = {each: progress.behind(Source(EVENTS, each)) for each in held}
        parts += [Behind("monitor", each, unread[each] + progress.behind(Source(COMMANDS, each))) for each in held]
        try:
            async with borrowed(self._pool, ASK_S) as connection:
                parts += await self._meter.composer(connection, ends)
                parts += await self._meter.relay(connection, published, unread)
                await self._telling.tell(connection, parts, at_ms, progress.complete_until)
        except POSTGRES_TROUBLE as error:
            self._trouble(POSTGRES_PART, f"Postgres does not answer: {reason_of(error)}")
        else:
            self._health.well(POSTGRES_PART)
        self._telling.set_metrics(parts)

    def _trouble(self, part: str, reason: str) -> None:
        if self._health.is_well(part):
            log.warning("the monitor is in trouble", part=part, reason=reason)
        self._health.ill(part, reason)


def now_ms() -> int:
    """Return the time of day in milliseconds."""
    return time.time_ns() // 1_000_000

"""Releases those who wait for an event: by a hint right after the commit, or by the topic, whichever comes first."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple
from uuid import UUID

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from events.codec import decode_event
from events.envelope import Event
from events.topics import EVENTS_TOPIC
from events.upcasting import present
from services.kit.eventlog import read_environments, read_ranges
from services.kit.health import Health
from services.kit.kafka import count_partitions, reader
from services.kit.lag import records_behind
from services.kit.metrics import CLIENTS_REPLACED
from services.kit.notices import Ranges, listen
from services.kit.postgres import POSTGRES_TROUBLE, Pool, borrowed
from services.kit.process import running
from services.kit.progress import Place, Seen
from services.kit.settings import KafkaSettings, PostgresSettings
from services.kit.stopping import stop_client
from services.kit.topic_ends import TopicEnds
from services.kit.watchdog import TURNS
from services.kit.watchers import Watchers

POLL_MS = 500
RECONNECT_S = 0.5
START_S = 15.0
READ_S = 5.0
# The hints are first but for those that were lost.
UNHURRIED_BYTES = 64 * 1024
ASK_S = 1.0
PART = "event feed"
WHAT = "events topic"

log = structlog.get_logger(repeats=True)


class Awaited(NamedTuple):
    """What somebody waits for in an environment: the result of a command, or any event about a subject."""

    environment: str
    what: UUID | str


class News(asyncio.Future[Event]):
    """What somebody waits for, and once it is there, the way that it came: `hint` or `topic`."""

    way = ""


class LiveEvents:
    """Those who wait, by what they wait for, and the two ways in which the news reaches this process."""

    def __init__(
        self,
        kafka: KafkaSettings,
        postgres: PostgresSettings,
        pool: Pool,
        health: Health,
    ) -> None:
        self._kafka = kafka
        self._postgres = postgres
        self._pool = pool
        self._health = health
        self._topic = EVENTS_TOPIC.name(kafka.topic_prefix)
        self._waiting: defaultdict[Awaited, set[News]] = defaultdict(set)
        self.watchers = Watchers()
        self._hinted: Ranges = {}
        self._hint = asyncio.Event()
        self._positions: dict[TopicPartition, int] = {}
        self._reading: AIOKafkaConsumer | None = None
        self._ends = TopicEnds(kafka)
        health.expect(PART)

    @contextlib.contextmanager
    def expecting(self, environment: str, what: UUID | str) -> Iterator[News]:
        """Give a future for the result of a command (its id) or for the next event about a subject.

        Enter before asking for what leads to the event; await the future under a deadline.
        """
        awaited = Awaited(environment, what)
        future = News(loop=asyncio.get_running_loop())
        self._waiting[awaited].add(future)
        try:
            yield future
        finally:
            self._waiting[awaited].discard(future)
            if not self._waiting[awaited]:
                del self._waiting[awaited]
            future.cancel()

    async def run(self) -> None:
        """Follow the hints and the topic until cancelled."""
        try:
            async with running(listen(self._postgres, self._on_notice), self._read_hinted()):
                while True:
                    try:
                        await self._tail()
                    except (KafkaError, OSError, TimeoutError, UnicodeDecodeError) as error:
                        self._health.ill(PART, f"the events topic cannot be read: {error or type(error).__name__}")
                        CLIENTS_REPLACED.labels("event feed").inc()
                    # To try again is to get on: an outage of the topic is told, and waited out.
                    self._health.turned()
                    await asyncio.sleep(RECONNECT_S)
        finally:
            await self._ends.close()

    async def look(self) -> Mapping[Place, Seen]:
        """Return how far the events topic is read, for the watchdog. Raises what Kafka did."""
        positions = await self._read_up_to()
        ends = await self._ends.read(positions)
        return {TURNS: Seen(1, self._health.turns)} | {
            Place(WHAT, where.partition): Seen(
                records_behind(end, positions[where], is_transactional=True), positions[where]
            )
            for where, end in ends.items()
        }

    async def _read_up_to(self) -> dict[TopicPartition, int]:
        """Return where the client stands: behind what was aborted, too, of which it gives no records."""
        positions = dict(self._positions)
        reading = self._reading
        if reading is not None:
            with contextlib.suppress(KafkaError, TimeoutError):
                async with asyncio.timeout(ASK_S):
                    for where in positions:
                        positions[where] = await reading.position(where)
        return positions

    @property
    def _is_awaited(self) -> bool:
        return bool(self._waiting or self.watchers.environments)

    def _on_notice(self, ranges: Ranges) -> None:
        if not self._is_awaited:
            return
        for partition, (first, last) in ranges.items():
            known_first, known_last = self._hinted.get(partition, (first, last))
            self._hinted[partition] = (min(first, known_first), max(last, known_last))
        self._hint.set()

    async def _read_hinted(self) -> None:
        while True:
            await self._hint.wait()
            self._hint.clear()
            ranges, self._hinted = self._hinted, {}
            try:
                await self._follow_hint(ranges)
            except POSTGRES_TROUBLE as error:
                log.warning("a hint could not be followed; the topic will tell", error=repr(error))

    async def _follow_hint(self, ranges: Ranges) -> None:
        commands = {each.what for each in self._waiting if isinstance(each.what, UUID)}
        subjects = {each.what for each in self._waiting if isinstance(each.what, str)}
        async with borrowed(self._pool, READ_S) as connection:
            if self._waiting:
                self._release(await read_ranges(connection, ranges, commands, subjects), "hint")
            if self.watchers.environments:
                for environment in await read_environments(connection, ranges, self.watchers.environments):
                    self.watchers.wake(environment)

    async def _tail(self) -> None:
        consumer = reader(self._kafka, fetch_min_bytes=UNHURRIED_BYTES)
        try:
            async with asyncio.timeout(START_S):
                await consumer.start()
                await self._seek(consumer)
            self._health.well(PART)
            self._reading = consumer
            while True:
                batches = await consumer.getmany(timeout_ms=POLL_MS)
                self._health.turned()
                for partition, records in batches.items():
                    if self._is_awaited:
                        self._release(_decoded(partition.partition, self._wanted(records)), "topic")
                    self._positions[partition] = records[-1].offset + 1
        finally:
            self._reading = None
            await stop_client(consumer)

    async def _seek(self, consumer: AIOKafkaConsumer) -> None:
        """Go on where the last connection ended; the first one starts at the topic's end."""
        number = await count_partitions(self._kafka, self._topic)
        partitions = [TopicPartition(self._topic, partition) for partition in range(number)]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        for partition in partitions:
            position = min(self._positions.get(partition, ends[partition]), ends[partition])
            consumer.seek(partition, position)
            self._positions[partition] = position

    def _wanted(self, records: Iterable[ConsumerRecord]) -> list[ConsumerRecord]:
        """Return those that somebody may wait for: most were told of by a hint before, and decoding takes its time."""
        what = [each.what for each in self._waiting]
        texts = {
            "ce_commandid": {str(each).encode() for each in what if isinstance(each, UUID)},
            "ce_subject": {each.encode() for each in what if isinstance(each, str)},
            "ce_environment": {each.encode() for each in self.watchers.environments},
        }
        return [record for record in records if any(raw in texts.get(name, ()) for name, raw in record.headers)]

    def _release(self, events: Iterable[Event], way: str) -> None:
        for event in events:
            if event.is_result and event.sequence is not None:
                self._resolve(Awaited(event.environment, event.command_id), event, way)
            self._resolve(Awaited(event.environment, event.subject), event, way)
            self.watchers.wake(event.environment)

    def _resolve(self, awaited: Awaited, event: Event, way: str) -> None:
        for future in self._waiting.get(awaited, ()):
            if not future.done():
                future.way = way
                future.set_result(event)


def _decoded(partition: int, records: Iterable[ConsumerRecord]) -> Iterator[Event]:
    for record in records:
        try:
            yield present(decode_event(partition, record.headers, record.value))
        except (KeyError, ValueError) as error:
            log.warning("a record on the events topic is not ours", partition=partition, error=str(error))

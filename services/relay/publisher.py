"""Publishes one partition of the event log, in Kafka transactions, behind what the topic already holds."""

import asyncio
from collections.abc import Callable, Sequence

import structlog
from aiokafka import TopicPartition
from aiokafka.structs import RecordMetadata

from events.codec import encode_event
from events.envelope import Event, Position
from services.kit.clients import Clients, TransactionalProducer
from services.kit.eventlog import read_after
from services.kit.lag import NOTHING
from services.kit.postgres import Pool, borrowed
from services.kit.settings import RelaySettings
from services.kit.stopping import stop_client
from services.relay.metrics import SECONDS, tell_published
from services.relay.position import Published, find_published, note_published
from services.relay.traces import publishing

FENCE_S = 30.0
TRANSACTION_S = 30.0
NOTE_EVERY = 20

log = structlog.get_logger()


class PartitionPublisher:
    """One producer's life. Starting it fences every earlier one, also one that was paused and wakes up."""

    def __init__(
        self,
        settings: RelaySettings,
        kafka: Clients,
        pool: Pool,
        where: TopicPartition,
        on_published: Callable[[Position], None],
    ) -> None:
        """Publish to `where`, and tell how far that is each time that it changes."""
        self._settings = settings
        self._kafka = kafka
        self._pool = pool
        self._where = where
        self._on_published = on_published

    async def run(self, hint: asyncio.Event, stop: asyncio.Event, on_ready: Callable[[], None]) -> None:
        """Publish until `stop` is set. Raises when anything is unclear: the next life reads the topic back."""
        producer = self._kafka.transactional_producer(f"{self._where.topic}.relay.{self._where.partition}")
        try:
            async with asyncio.timeout(FENCE_S):
                await producer.start()
            published = await find_published(self._kafka, self._pool, self._where)
            log.info("publishing", partition=self._where.partition, behind=str(published.position))
            on_ready()
            self._on_published(published.position)
            await self._follow(producer, published, hint, stop)
        finally:
            await stop_client(producer)

    async def _follow(
        self, producer: TransactionalProducer, published: Published, hint: asyncio.Event, stop: asyncio.Event
    ) -> None:
        # What was found is noted too: one who publishes nothing more would never say that all is published.
        transactions = int(published.position != NOTHING)
        while not stop.is_set():
            hint.clear()
            limit = self._settings.max_batch
            async with borrowed(self._pool) as connection:
                events = await read_after(connection, self._where.partition, published.position, limit)
            if events:
                with publishing(self._where, events):
                    offset = await self._transact(producer, events)
                published = Published(events[-1].position, offset)
                self._on_published(published.position)
                tell_published(events)
                transactions += 1
            idle = not events
            if transactions and (idle or transactions >= NOTE_EVERY):
                await note_published(self._pool, self._where.partition, published)
                transactions = 0
            if idle:
                await _first_of(hint, stop, self._settings.poll_interval_s)

    async def _transact(self, producer: TransactionalProducer, events: Sequence[Event]) -> int:
        """Publish `events` in one transaction; return the topic offset of the last one."""
        with SECONDS.time():
            async with asyncio.timeout(TRANSACTION_S):
                return await self._commit(producer, events)

    async def _commit(self, producer: TransactionalProducer, events: Sequence[Event]) -> int:
        await producer.begin_transaction()
        sent = [await self._send(producer, event) for event in events]
        await producer.commit_transaction()
        return int((await sent[-1]).offset)

    async def _send(self, producer: TransactionalProducer, event: Event) -> "asyncio.Future[RecordMetadata]":
        record = encode_event(event)
        future: asyncio.Future[RecordMetadata] = await producer.send(
            self._where.topic,
            record.value,
            key=record.key,
            headers=record.headers,
            partition=self._where.partition,
        )
        future.add_done_callback(_looked_at)  # commit_transaction tells what went wrong with any of them
        return future


def _looked_at(sent: "asyncio.Future[RecordMetadata]") -> None:
    """Keep asyncio from telling of each failed send of a transaction that it was never looked at."""
    if not sent.cancelled():
        sent.exception()


async def _first_of(hint: asyncio.Event, stop: asyncio.Event, at_most_s: float) -> None:
    """Return when one of the events is set, or after `at_most_s` seconds."""
    waits = [asyncio.create_task(event.wait()) for event in (hint, stop)]
    try:
        await asyncio.wait(waits, timeout=at_most_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)

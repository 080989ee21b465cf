"""Finds the last event that is on the events topic: from a noted position, by reading the topic to its end."""

import asyncio
from dataclasses import dataclass

import structlog
from aiokafka import ConsumerRecord, TopicPartition

from events.codec import decode_event
from events.envelope import Position
from services.kit.clients import Clients, Consumer
from services.kit.lag import NOTHING
from services.kit.postgres import Pool, borrowed
from services.kit.statements import load_queries
from services.kit.stopping import stop_client

START_S = 10.0
READ_S = 120.0
POLL_MS = 200

sql = load_queries(__file__)
log = structlog.get_logger(repeats=True)


@dataclass(frozen=True, slots=True)
class Published:
    """The last published event, and a topic offset that is not behind it."""

    position: Position
    topic_offset: int


async def find_published(kafka: Clients, pool: Pool, where: TopicPartition) -> Published:
    """Return what is published of a partition. The note covers a topic that retention has emptied."""
    noted = await _noted(pool, where.partition)
    consumer = kafka.reader()
    try:
        async with asyncio.timeout(START_S):
            await consumer.start()
        async with asyncio.timeout(READ_S):
            return await _read_back(consumer, where, noted)
    finally:
        await stop_client(consumer)


async def note_published(pool: Pool, partition: int, published: Published) -> None:
    """Note what is published, so that a restart reads less of the topic back."""
    async with borrowed(pool) as connection:
        await sql.save_position(
            connection,
            partition=partition,
            topic_offset=published.topic_offset,
            log_offset=published.position.offset,
            log_index=published.position.index,
        )


async def _noted(pool: Pool, partition: int) -> Published:
    async with borrowed(pool) as connection:
        row = await sql.read_position(connection, partition=partition)
    if row is None:
        return Published(NOTHING, 0)
    return Published(Position(row["log_offset"], row["log_index"]), row["topic_offset"])


async def _read_back(consumer: Consumer, where: TopicPartition, noted: Published) -> Published:
    consumer.assign([where])
    start = (await consumer.beginning_offsets([where]))[where]
    end = (await consumer.end_offsets([where]))[where]
    last, offset = noted.position, min(max(start, noted.topic_offset), end)
    consumer.seek(where, offset)
    while await consumer.position(where) < end:
        batches = await consumer.getmany(where, timeout_ms=POLL_MS)
        for record in batches.get(where, ()):
            last = max(last, _position(where.partition, record))
    return Published(last, end)


def _position(partition: int, record: ConsumerRecord) -> Position:
    """Return the position of an event on the topic; NOTHING for a record that somebody else wrote there."""
    try:
        return decode_event(partition, record.headers, record.value).position
    except ValueError as error:
        log.warning("a record on the events topic is not ours", partition=partition, error=str(error))
        return NOTHING

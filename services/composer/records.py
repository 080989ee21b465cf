"""Records as they come from the Kafka client, also the ones that it cannot decode."""

import asyncio
from datetime import UTC, datetime

from aiokafka import ConsumerRecord, TopicPartition

from services.composer.intake import Received
from services.kit.clients import Clients
from services.kit.stopping import stop_client

POLL_MS = 500
START_S = 10.0
YEAR_9999 = datetime(9999, 1, 1, tzinfo=UTC).timestamp()


def received(record: ConsumerRecord) -> Received:
    """Return a record as the intake wants it."""
    return Received(
        record.partition, record.offset, record.key, record.value, record.headers, _moment(record.timestamp)
    )


async def read_one_by_one(kafka: Clients, where: TopicPartition, start: int, limit: int) -> list[Received]:
    """Return up to `limit` records from offset `start`, the last of them the one that cannot be decoded, if it comes.

    aiokafka decodes header names as UTF-8 while it iterates over what it fetched: a name that is not raises
    UnicodeDecodeError, and what was read before it in the same call is lost.
    """
    consumer = kafka.reader()
    try:
        async with asyncio.timeout(START_S):
            await consumer.start()
        consumer.assign([where])
        consumer.seek(where, start)
        found: list[Received] = []
        while len(found) < limit:
            try:
                batches = await consumer.getmany(where, timeout_ms=POLL_MS, max_records=1)
            except UnicodeDecodeError as error:
                return [*found, undecodable(where, await consumer.position(where), error)]
            if not batches:
                return found
            found += [received(record) for record in batches[where]]
        return found
    finally:
        await stop_client(consumer)


def undecodable(where: TopicPartition, offset: int, error: UnicodeDecodeError) -> Received:
    """Return what stands for a record that the Kafka client cannot decode."""
    defect = (
        f"A header's name is not UTF-8 ({error.reason}), so that the record cannot be decoded; "
        f"its bytes are in Kafka at partition {where.partition}, offset {offset}, as long as retention keeps them."
    )
    return Received(where.partition, offset, None, None, [], datetime.now(UTC), defect)


def _moment(milliseconds: int) -> datetime:
    """Return a record's timestamp; the epoch for one that a producer made up, from before it or behind year 9998."""
    seconds = milliseconds / 1000
    return datetime.fromtimestamp(seconds if 0 <= seconds < YEAR_9999 else 0, UTC)

"""What a downstream consumer sees: a plain Kafka consumer on one of the two topics."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pydantic_core
from aiokafka import AIOKafkaConsumer, ConsumerRecord

from services.kit.settings import KafkaSettings

PATIENCE_S = 20.0
POLL_MS = 100

Matches = Callable[[ConsumerRecord], bool]


class Feed:
    """The records of a topic so far, by the environment that they are kept under."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer
        self._records: defaultdict[str, list[ConsumerRecord]] = defaultdict(list)

    async def until(self, environment: str, matches: Matches) -> list[ConsumerRecord]:
        """Return an environment's records up to the first one that matches. Raises TimeoutError."""
        async with asyncio.timeout(PATIENCE_S):
            while not any(map(matches, self._records[environment])):
                batches = await self._consumer.getmany(timeout_ms=POLL_MS)
                self._keep(record for records in batches.values() for record in records)
        records = self._records[environment]
        return records[: next(index for index, record in enumerate(records) if matches(record)) + 1]

    def _keep(self, records: Iterable[ConsumerRecord]) -> None:
        for record in records:
            self._records[text(record, "ce_environment")].append(record)


def is_command(command_id: UUID) -> Matches:
    """Match the command of that id."""
    return lambda record: text(record, "ce_id") == str(command_id)


def is_result_of(command_id: UUID) -> Matches:
    """Match the result of the command of that id."""
    return lambda record: (text(record, "ce_commandid"), text(record, "ce_result")) == (str(command_id), "true")


def text(record: ConsumerRecord, header: str) -> str:
    """Return a header of a record as text, empty when there is none of that name."""
    return bytes(dict(record.headers).get(header, b"")).decode(errors="replace")


def name_of(record: ConsumerRecord) -> str:
    """Return the name in a record's type, for example `PipelineCreated`."""
    return text(record, "ce_type").split(".")[1]


def data_of(record: ConsumerRecord) -> Any:
    """Return the JSON data of a record."""
    return pydantic_core.from_json(record.value)


@asynccontextmanager
async def open_feed(kafka: KafkaSettings, topic: str) -> AsyncIterator[Feed]:
    """Give a feed of `topic` from its start, for the length of the block."""
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=kafka.bootstrap_servers,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
    )
    await consumer.start()
    try:
        yield Feed(consumer)
    finally:
        await consumer.stop()

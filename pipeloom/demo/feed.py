"""What any downstream consumer does: read result events from Kafka with a plain consumer, without a group."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer

from events.codec import decode_event
from events.envelope import Event

POLL_MS = 200


class Feed:
    """The events since the feed was opened, of all environments; some are about the story."""

    def __init__(self, consumer: AIOKafkaConsumer, mark: str) -> None:
        """Read with `consumer`; the story's resources are those whose names contain `mark`."""
        self._consumer = consumer
        self._mark = mark
        self._told = 0
        self.events: list[Event] = []

    async def results(self, number: int, within_s: float) -> list[Event]:
        """Return the story's next events up to its `number`-th result; fewer when no more come in time."""
        deadline = asyncio.get_running_loop().time() + within_s
        while self._results_ahead() < number and asyncio.get_running_loop().time() < deadline:
            await self._poll()
        ahead = self.story[self._told :]
        self._told += len(ahead)
        return ahead

    @property
    def story(self) -> list[Event]:
        return [event for event in self.events if self._mark in event.subject]

    @property
    def history(self) -> list[Event]:
        """Every event of the story's environment, whoever caused it."""
        environments = {event.environment for event in self.story}
        return [event for event in self.events if event.environment in environments]

    def _results_ahead(self) -> int:
        return sum(event.is_result for event in self.story[self._told :])

    async def _poll(self) -> None:
        for partition, records in (await self._consumer.getmany(timeout_ms=POLL_MS)).items():
            self.events += [decode_event(partition.partition, record.headers, record.value) for record in records]


@asynccontextmanager
async def open_feed(bootstrap_servers: str, topic: str, mark: str) -> AsyncIterator[Feed]:
    """Read `topic` from its present end on."""
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=bootstrap_servers,
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="latest",
        isolation_level="read_committed",
    )
    try:
        await consumer.start()
        for partition in consumer.assignment():
            await consumer.position(partition)  # settles where the end is now
        yield Feed(consumer, mark)
    finally:
        await consumer.stop()

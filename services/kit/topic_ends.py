"""Asks Kafka where partitions end, with a client of its own: the one that reads them may be what is stuck."""

import asyncio
from collections.abc import Collection

from aiokafka import AIOKafkaConsumer, TopicPartition

from services.kit.kafka import reader
from services.kit.settings import KafkaSettings
from services.kit.stopping import stop_client

ASK_S = 5.0


class TopicEnds:
    """Connects when it is asked first, and anew after an answer that failed to come."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._kafka = kafka
        self._reader: AIOKafkaConsumer | None = None

    async def read(self, wanted: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """Return up to where a reader of committed records could read. Raises KafkaError or TimeoutError."""
        if not wanted:
            return {}
        try:
            async with asyncio.timeout(ASK_S):
                if self._reader is None:
                    self._reader = reader(self._kafka)
                    await self._reader.start()
                return dict(await self._reader.end_offsets(wanted))
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Let go of Kafka; the next question connects anew."""
        consumer, self._reader = self._reader, None
        if consumer is not None:
            await stop_client(consumer)

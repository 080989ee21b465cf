"""What Kafka holds of the commands topic now, and whether a cursor still has its place in it."""

import asyncio
from collections.abc import Mapping
from typing import NamedTuple
from uuid import UUID

from aiokafka import TopicPartition

from services.kit.kafka import count_partitions, reader
from services.kit.settings import KafkaSettings
from services.kit.stopping import stop_client
from services.kit.topic_id import topic_id

KAFKA_S = 15.0


class CommandsLog(NamedTuple):
    """What the topic holds of a partition."""

    topic_id: UUID
    start: int
    end: int

    def cannot_go_on(self, next_offset: int, topic_of_cursor: UUID) -> str | None:
        """Say why a cursor at `next_offset` of that topic has no place in this log, or None when it has one."""
        if topic_of_cursor != self.topic_id:
            return "The commands topic was made anew: the cursor belongs to the one that was deleted."
        if self.start <= next_offset <= self.end:
            return None
        how = (
            "commands were deleted before they were composed" if next_offset < self.start else "the topic lost its end"
        )
        return f"The cursor stands at offset {next_offset}, but the topic holds {self.start} to {self.end}: {how}."

    def place_to_go_on(self, next_offset: int, topic_of_cursor: UUID) -> int:
        """Return the place of a cursor that cannot go on: behind what was decided, and before all that was not.

        A topic that lost its end holds nothing that was not decided; of a new one, nothing was.
        """
        is_same = topic_of_cursor == self.topic_id
        return self.end if is_same and next_offset > self.end else self.start

    def uses_offsets_again(self, next_offset: int, topic_of_cursor: UUID) -> bool:
        """Tell whether commands will come at offsets that the event log has used before."""
        return topic_of_cursor != self.topic_id or next_offset > self.end


async def read_ends(kafka: KafkaSettings, topic: str) -> tuple[Mapping[int, int], Mapping[int, int]]:
    """Return where each partition of a topic begins and ends. Raises KafkaError, OSError or TimeoutError."""
    partitions = [TopicPartition(topic, each) for each in range(await count_partitions(kafka, topic))]
    consumer = reader(kafka)
    try:
        async with asyncio.timeout(KAFKA_S):
            await consumer.start()
            starts = await consumer.beginning_offsets(partitions)
            ends = await consumer.end_offsets(partitions)
    finally:
        await stop_client(consumer)
    return (
        {where.partition: offset for where, offset in starts.items()},
        {where.partition: offset for where, offset in ends.items()},
    )


async def read_commands_log(kafka: KafkaSettings, topic: str) -> dict[int, CommandsLog]:
    """Return what Kafka holds of each partition of the commands topic. Raises as `read_ends`."""
    identity = await topic_id(kafka, topic)
    starts, ends = await read_ends(kafka, topic)
    return {partition: CommandsLog(identity, starts[partition], ends[partition]) for partition in starts}

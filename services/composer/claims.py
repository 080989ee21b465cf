"""Which partitions this process owns, and from which offset it goes on in each."""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple
from uuid import UUID

import structlog
from aiokafka import ConsumerRebalanceListener, TopicPartition

from services.composer.metrics import CLAIMS
from services.composer.store import Claim, claim_partition
from services.kit.clients import Clients, Consumer
from services.kit.health import Health
from services.kit.postgres import Connection

KAFKA_S = 10.0

log = structlog.get_logger()


class Log(NamedTuple):
    """What the topic holds of a partition now."""

    topic_id: UUID
    start: int
    end: int

    def cannot_go_on(self, next_offset: int, topic_of_cursor: UUID) -> str | None:
        """Say why a cursor at `next_offset` of that topic has no place in this log, or None when it has one."""
        if topic_of_cursor != self.topic_id:
            return "The commands topic was made anew: the cursor belongs to the one that was deleted."
        if self.start <= next_offset <= self.end:
            return None
        return (
            f"The cursor stands at offset {next_offset}, but the topic holds {self.start} to {self.end}: "
            "commands were deleted before they were composed."
        )


class Claims(ConsumerRebalanceListener):  # type: ignore[misc] # aiokafka is untyped
    """The partitions that were claimed in Postgres; claimed by the loop that reads them.

    The group says which partitions are handed out; the epoch in Postgres says who may write. A rebalance only
    forgets claims: the next owner's claim is what ends this one's right to write.
    """

    def __init__(self, kafka: Clients, topic: str, owner: str, consumer: Consumer, health: Health) -> None:
        self._kafka = kafka
        self._topic = topic
        self._owner = owner
        self._consumer = consumer
        self._health = health
        self._held: dict[int, Claim] = {}
        self._stopped: set[int] = set()

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        for partition in revoked:
            self.forget([partition.partition])
            self._health.forget(f"partition {partition.partition}")
        self._stopped.clear()

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        log.info("partitions assigned", partitions=sorted(partition.partition for partition in assigned))

    def get(self, partition: int) -> Claim | None:
        """Return the claim on a partition, or None when it is not held."""
        return self._held.get(partition)

    def forget(self, partitions: Iterable[int]) -> None:
        """Give partitions up; the loop claims those that stay assigned anew."""
        for partition in partitions:
            self._held.pop(partition, None)

    def advance(self, moves: Mapping[Claim, int]) -> None:
        """Note that the cursors were moved. A claim that was forgotten meanwhile stays forgotten."""
        for claim, next_offset in moves.items():
            if self._held.get(claim.partition) is claim:
                self._held[claim.partition] = Claim(claim.partition, claim.epoch, next_offset)

    def missing(self) -> list[TopicPartition]:
        """Return the assigned partitions that are neither held nor stopped."""
        known = self._held.keys() | self._stopped
        return [where for where in self._consumer.assignment() if where.partition not in known]

    async def claim(self, connection: Connection, wanted: Collection[TopicPartition]) -> None:
        """Take partitions over and read on from their cursors; stop one whose log does not reach there."""
        if not wanted:
            return
        async with asyncio.timeout(KAFKA_S):
            identity = await self._kafka.topic_id(self._topic)
            starts = await self._consumer.beginning_offsets(wanted)
            ends = await self._consumer.end_offsets(wanted)
        for where in wanted:
            await self._claim(connection, where, Log(identity, starts[where], ends[where]))

    async def _claim(self, connection: Connection, where: TopicPartition, log_now: Log) -> None:
        claim, topic_of_cursor = await claim_partition(
            connection, self._topic, where.partition, log_now.topic_id, log_now.start, self._owner
        )
        trouble = log_now.cannot_go_on(claim.next_offset, topic_of_cursor)
        if trouble:
            self._stop(where, trouble)
            return
        self._consumer.seek(where, claim.next_offset)
        self._held[where.partition] = claim
        CLAIMS.inc()
        self._health.well(f"partition {where.partition}")
        log.info("partition claimed", partition=where.partition, epoch=claim.epoch, next_offset=claim.next_offset)

    def _stop(self, where: TopicPartition, trouble: str) -> None:
        """Stop a partition whose commands are gone; going on would silently skip them."""
        self._consumer.pause(where)
        self._stopped.add(where.partition)
        reason = f"{trouble} See docs/guides/operations.md, 'The commands topic was lost'."
        self._health.ill(f"partition {where.partition}", reason)
        log.error("partition stopped", partition=where.partition, reason=reason)

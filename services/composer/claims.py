"""Which partitions this process owns, and from which offset it goes on in each."""

import asyncio
import contextlib
from collections.abc import Collection, Iterable, Mapping, Sequence

import structlog
from aiokafka import ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from services.composer.metrics import CLAIMS, REWOUND, STOPPED
from services.composer.store import Claim, claim_partition
from services.kit.clients import Clients, GroupConsumer
from services.kit.commands_log import CommandsLog
from services.kit.health import Health
from services.kit.postgres import Connection

KAFKA_S = 10.0
COMMITTED_S = 3.0
LOOK_AGAIN_S = 5.0

log = structlog.get_logger()
loop_log = structlog.get_logger(repeats=True)


class Claims(ConsumerRebalanceListener):  # type: ignore[misc] # aiokafka is untyped
    """The partitions that were claimed in Postgres; claimed by the loop that reads them.

    The group says which partitions are handed out; the epoch in Postgres says who may write. A rebalance only
    forgets claims: the next owner's claim is what ends this one's right to write.
    """

    def __init__(self, kafka: Clients, topic: str, owner: str, consumer: GroupConsumer, health: Health) -> None:
        self._kafka = kafka
        self._topic = topic
        self._owner = owner
        self._consumer = consumer
        self._health = health
        self._held: dict[int, Claim] = {}
        self._stopped: dict[int, float] = {}

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        for partition in revoked:
            self.forget([partition.partition])
            self._health.forget(f"partition {partition.partition}")
        self._stopped.clear()
        STOPPED.set(0)

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        log.info("partitions assigned", partitions=sorted(partition.partition for partition in assigned))

    def get(self, partition: int) -> Claim | None:
        """Return the claim on a partition, or None when it is not held."""
        return self._held.get(partition)

    @property
    def stopped(self) -> Collection[int]:
        """The partitions that were stopped until an operator acts."""
        return self._stopped.keys()

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
        """Return the assigned partitions that are not held; those that were stopped now and then only."""
        now = asyncio.get_running_loop().time()
        known = self._held.keys() | {each for each, at in self._stopped.items() if now - at < LOOK_AGAIN_S}
        return [where for where in self._consumer.assignment() if where.partition not in known]

    async def claim(self, connection: Connection, wanted: Collection[TopicPartition]) -> None:
        """Take partitions over and read on from their cursors; stop one whose log does not reach there."""
        if not wanted:
            return
        logs = await self._look(wanted)
        for where in wanted:
            await self._claim(connection, where, logs[where])

    async def _look(self, wanted: Collection[TopicPartition]) -> dict[TopicPartition, CommandsLog]:
        async with asyncio.timeout(KAFKA_S):
            identity = await self._kafka.topic_id(self._topic)
            starts = await self._consumer.beginning_offsets(wanted)
            ends = await self._consumer.end_offsets(wanted)
        return {where: CommandsLog(identity, starts[where], ends[where]) for where in wanted}

    async def doubt(self, batches: Mapping[TopicPartition, Sequence[ConsumerRecord]]) -> None:
        """Forget the claims on partitions whose records do not go on from the cursor: the next claim looks why.

        The client goes to the start of a topic when its place is gone: it was made anew, or retention was faster.
        Behind the cursor a place may be empty all the same, where a transaction of a producer has left its marker.
        """
        for where, records in batches.items():
            claim = self._held.get(where.partition)
            if claim is None or records[0].offset == claim.next_offset:
                continue
            if records[0].offset < claim.next_offset or await self._start(where) > claim.next_offset:
                loop_log.warning("a partition does not go on from its cursor", partition=where.partition)
                self.forget([where.partition])

    async def _start(self, where: TopicPartition) -> int:
        async with asyncio.timeout(KAFKA_S):
            return int((await self._consumer.beginning_offsets([where]))[where])

    async def _claim(self, connection: Connection, where: TopicPartition, log_now: CommandsLog) -> None:
        claim, topic_of_cursor = await claim_partition(
            connection, self._topic, where.partition, log_now.topic_id, log_now.start, self._owner
        )
        trouble = log_now.cannot_go_on(claim.next_offset, topic_of_cursor)
        if trouble:  # or the owner before went on after we had looked; from the claim on nobody can
            trouble = (await self._look([where]))[where].cannot_go_on(claim.next_offset, topic_of_cursor)
        if trouble:
            self._stop(where, trouble)
            return
        self._consumer.seek(where, claim.next_offset)
        self._held[where.partition] = claim
        CLAIMS.inc()
        self._go_on(where)
        await self._tell_rewound(where, claim)
        self._health.well(f"partition {where.partition}")
        log.info("partition claimed", partition=where.partition, epoch=claim.epoch, next_offset=claim.next_offset)

    async def _tell_rewound(self, where: TopicPartition, claim: Claim) -> None:
        """Say so when Postgres is older than what the group has told Kafka: it was restored, and catches up."""
        committed = None
        with contextlib.suppress(TimeoutError, KafkaError):
            committed = await asyncio.wait_for(self._consumer.committed(where), COMMITTED_S)
        if committed is not None and committed > claim.next_offset:
            REWOUND.inc(committed - claim.next_offset)
            log.warning(
                "Postgres is older than what was composed; commands are composed again, with the same results",
                partition=where.partition,
                next_offset=claim.next_offset,
                composed_before=committed,
            )

    def _go_on(self, where: TopicPartition) -> None:
        if self._stopped.pop(where.partition, None) is not None:
            self._consumer.resume(where)
            STOPPED.set(len(self._stopped))

    def _stop(self, where: TopicPartition, trouble: str) -> None:
        """Stop a partition whose commands are gone, until an operator has accepted that; going on would skip them."""
        self._consumer.pause(where)
        self._stopped[where.partition] = asyncio.get_running_loop().time()
        STOPPED.set(len(self._stopped))
        reason = (
            f"{trouble} `pipeloom admin accept-commands-topic --dry-run` tells what it takes to go on. "
            "See docs/guides/operations.md, 'The commands topic was lost'."
        )
        self._health.ill(f"partition {where.partition}", reason)
        loop_log.error("partition stopped", partition=where.partition, reason=reason)

"""The composer: reads commands, decides them and saves what they change, a batch at a time, for ever."""

import asyncio
import contextlib
import os
import socket
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence

import structlog
from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError

from events.topics import COMMANDS_TOPIC
from services.composer.batch import BatchState, Outcome
from services.composer.claims import Claims
from services.composer.compose import Taken
from services.composer.intake import Received, take_in
from services.composer.metrics import FENCED, REPEATED, tell_lag
from services.composer.progress import ComposerProgress, Held
from services.composer.records import read_one_by_one, received
from services.composer.retention.service import keep_pruned
from services.composer.settle import settle
from services.composer.store import Claim, rows_of, save_rows
from services.kit.backoff import Backoff
from services.kit.clients import Clients, Consumer, GroupConsumer, KafkaClients
from services.kit.health import Health
from services.kit.metrics import CLIENTS_REPLACED
from services.kit.postgres import POSTGRES_TROUBLE, Connection, Pool, borrowed, open_pool
from services.kit.probes import probe_kafka, probe_postgres
from services.kit.process import running
from services.kit.reasons import reason_of
from services.kit.schema import demand_migrated
from services.kit.settings import Settings
from services.kit.stopping import stop_client
from services.kit.watchdog import Watchdog

POLL_MS = 500
# How soon a topic that was made anew, or has more partitions, is noticed.
METADATA_MS = 10_000
BATCH_S = 30.0
START_S = 40.0
POSITION_S = 5.0
COMMIT_EVERY_S = 1.0
COMMIT_S = 3.0
PASS_EVERY_S = 1.0
GROUP_PART = "commands topic"
BATCH_PART = "batches"
TROUBLE = (KafkaError, *POSTGRES_TROUBLE)

Batches = Mapping[TopicPartition, Sequence[ConsumerRecord]]

log = structlog.get_logger(repeats=True)


async def run_composer(settings: Settings, health: Health, stop: asyncio.Event) -> None:
    """Compose until `stop` is set. Trouble with Kafka or Postgres is waited out, and told on the health page."""
    await demand_migrated(settings.postgres)
    health.expect(GROUP_PART, BATCH_PART)
    pool = open_pool(settings.postgres, size=3)
    held = Held()
    watched = ComposerProgress(settings.kafka, pool, health, held)
    watchdog = Watchdog(settings.watchdog.stuck_after_s, health, watched.look)
    beside = (
        probe_kafka(settings.kafka, health),
        probe_postgres(pool, health),
        watchdog.run(),
        keep_pruned(settings),
    )
    async with pool, watched, running(*beside):
        await compose_until(stop, settings, health, KafkaClients(settings.kafka), pool, held)


async def compose_until(
    stop: asyncio.Event, settings: Settings, health: Health, kafka: Clients, pool: Pool, held: Held | None = None
) -> None:
    """Live one life in the group after the other, until `stop` is set; `held` is told of each turn."""
    backoff = Backoff()
    held = held or Held()
    while not stop.is_set():
        try:
            await Composer(settings, health, kafka, pool, held).run(stop)
        except (KafkaError, OSError, TimeoutError) as error:
            health.ill(GROUP_PART, f"commands cannot be read: {reason_of(error)}")
            log.warning("the consumer is made anew", error=repr(error))
            CLIENTS_REPLACED.labels("commands consumer").inc()
            await backoff.wait(stop)


class Composer:
    """One consumer's life in the group."""

    def __init__(self, settings: Settings, health: Health, kafka: Clients, pool: Pool, held: Held) -> None:
        self._settings = settings
        self._health = health
        self._kafka = kafka
        self._pool = pool
        self._held = held
        self._topic = COMMANDS_TOPIC.name(settings.kafka.topic_prefix)
        self._backoff = Backoff()
        self._uncommitted: dict[TopicPartition, int] = {}
        self._committed_at = -COMMIT_EVERY_S
        self._passed_at = -PASS_EVERY_S

    async def run(self, stop: asyncio.Event) -> None:
        """Read and compose until `stop` is set. Raises KafkaError when the consumer is of no use any more."""
        session_ms = self._settings.composer.session_timeout_ms
        consumer = self._kafka.group_consumer(
            self._settings.kafka.group("composer", self._settings.composer.group_id),
            group_instance_id=self._settings.composer.instance_id,
            session_timeout_ms=session_ms,
            heartbeat_interval_ms=session_ms // 4,
            metadata_max_age_ms=METADATA_MS,
        )
        claims = Claims(self._kafka, self._topic, _owner(), consumer, self._health)
        consumer.subscribe([self._topic], listener=claims)
        try:
            async with asyncio.timeout(START_S):
                await consumer.start()
            self._health.well(GROUP_PART)
            while not stop.is_set():
                await self._turn(consumer, claims, stop)
            self._committed_at = -COMMIT_EVERY_S
            await self._commit(consumer)
        finally:
            await stop_client(consumer)

    async def _turn(self, consumer: GroupConsumer, claims: Claims, stop: asyncio.Event) -> None:
        batches: Batches = {}
        try:
            batches = await _fetched(consumer, self._settings.composer.max_batch)
        except UnicodeDecodeError:
            work = self._compose_one_by_one(consumer, claims)
        else:
            unclaimed = claims.missing()
            if not batches and not unclaimed and self._health.is_well(BATCH_PART):
                work = self._pass_markers(consumer, claims)
            else:
                work = self._compose(consumer, claims, unclaimed, batches)
        try:
            await work
            if batches and self._is_time_to_pass():
                await self._pass_markers(consumer, claims)
        except TROUBLE as error:
            _read_again(consumer, claims, batches)
            self._health.ill(BATCH_PART, f"batches are held up: {reason_of(error)}")
            log.warning("a batch is repeated", error=repr(error))
            REPEATED.inc()
            await self._backoff.wait(stop)
        else:
            self._health.well(BATCH_PART)
            self._backoff.reset()
        self._tell_topic(consumer)
        tell_lag(consumer, claims)
        self._held.note(consumer.assignment(), claims.stopped)
        self._health.turned()
        return await self._commit(consumer)

    def _tell_topic(self, consumer: Consumer) -> None:
        """Say when there is nothing to read from; to stand by without partitions is well."""
        if consumer.assignment() or consumer.partitions_for_topic(self._topic):
            self._health.well(GROUP_PART)
        else:
            reason = f"there is no topic {self._topic}. See docs/guides/operations.md, 'The commands topic was lost'."
            self._health.ill(GROUP_PART, reason)

    async def _compose(
        self, consumer: Consumer, claims: Claims, unclaimed: Collection[TopicPartition], batches: Batches
    ) -> None:
        async with borrowed(self._pool, BATCH_S) as connection:
            await claims.claim(connection, unclaimed)
            await claims.doubt({where: records for where, records in batches.items() if where not in unclaimed})
            # What was fetched before a claim may start anywhere; the claim has sought to the cursor.
            fetched = {where: records for where, records in batches.items() if where not in unclaimed}
            taken = [
                each
                for where, records in fetched.items()
                for each in self._take_in(consumer, _behind_cursor(claims.get(where.partition), records))
            ]
            if taken and not await self._settle(connection, claims, taken):
                _read_again(consumer, claims, batches)

    def _is_time_to_pass(self) -> bool:
        """Tell whether markers may wait behind the last command of a partition while others always have some."""
        now = asyncio.get_running_loop().time()
        is_time = now - self._passed_at >= PASS_EVERY_S
        self._passed_at = now if is_time else self._passed_at
        return is_time

    async def _pass_markers(self, consumer: Consumer, claims: Claims) -> None:
        """Move the cursors over what holds no commands: a transaction's marker behind the last one.

        Retention may delete the marker with the command; a cursor that still pointed at it would look like a loss.
        """
        passed = {}
        for where in consumer.assignment():
            claim = claims.get(where.partition)
            if claim is not None:
                async with asyncio.timeout(POSITION_S):
                    position = await consumer.position(where)
                if position > claim.next_offset:
                    passed[claim] = position
        if passed:
            async with borrowed(self._pool, BATCH_S) as connection:
                if await save_rows(connection, self._topic, passed, rows_of(Outcome(BatchState()))):
                    claims.advance(passed)
                else:
                    # Nothing else would notice that somebody claimed one of them, until the next command comes.
                    claims.forget(claim.partition for claim in passed)

    async def _compose_one_by_one(self, consumer: Consumer, claims: Claims) -> None:
        """Get over a record that the Kafka client cannot decode: reading it with others loses all of them."""
        log.error("a record cannot be decoded by the Kafka client; the partitions are read one by one")
        for where in consumer.assignment():
            claims.forget([where.partition])
            async with borrowed(self._pool, BATCH_S) as connection:
                await claims.claim(connection, [where])
            claim = claims.get(where.partition)
            if claim is None:
                continue
            limit = self._settings.composer.max_batch
            records = await read_one_by_one(self._kafka, where, claim.next_offset, limit)
            async with borrowed(self._pool, BATCH_S) as connection:
                if records:
                    await self._settle(connection, claims, self._take_in(consumer, records))
            # The next claim seeks behind what was saved.
            claims.forget([where.partition])

    async def _settle(self, connection: Connection, claims: Claims, taken: list[Taken]) -> bool:
        if not await settle(connection, self._topic, claims, taken):
            log.warning("fenced: another composer claimed a partition")
            FENCED.inc()
            return False
        for record, _ in taken:
            self._uncommitted[TopicPartition(self._topic, record.partition)] = record.offset + 1
        return True

    def _take_in(self, consumer: Consumer, records: Iterable[Received]) -> list[Taken]:
        partitions = consumer.partitions_for_topic(self._topic)
        if not partitions:
            # The topic went while this was fetched; to judge by a number that nobody knows would be to misjudge.
            raise UnknownTopicOrPartitionError
        return [(record, take_in(record, len(partitions))) for record in records]

    async def _commit(self, consumer: GroupConsumer) -> None:
        """Tell Kafka now and then how far this is, for tools that show lag; the cursor in Postgres is the truth."""
        now = asyncio.get_running_loop().time()
        if now - self._committed_at < COMMIT_EVERY_S:
            return
        self._committed_at = now
        offsets, self._uncommitted = self._uncommitted, {}
        if offsets:
            with contextlib.suppress(TimeoutError, KafkaError):
                await asyncio.wait_for(consumer.commit(offsets), COMMIT_S)


async def _fetched(consumer: Consumer, limit: int) -> Batches:
    """Fetch a batch. The client fills it from one partition first: beside a backlog, all others have a share too."""
    batches = dict(await consumer.getmany(timeout_ms=POLL_MS, max_records=limit))
    if sum(map(len, batches.values())) >= limit:
        assigned = sorted(consumer.assignment())
        for where in assigned:
            if where not in batches:
                batches |= await consumer.getmany(where, timeout_ms=0, max_records=max(1, limit // len(assigned)))
    return batches


def _read_again(consumer: Consumer, claims: Claims, batches: Batches) -> None:
    """Forget the claims and go back to where the batch began; the next claim tells what was saved of it."""
    claims.forget(where.partition for where in batches)
    for where, records in batches.items():
        if where in consumer.assignment():
            consumer.seek(where, records[0].offset)


def _behind_cursor(claim: Claim | None, records: Sequence[ConsumerRecord]) -> list[Received]:
    if claim is None:
        return []
    return [received(record) for record in records if record.offset >= claim.next_offset]


def _owner() -> str:
    return f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"

"""What Kafka and Postgres hold, read past all proxies."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from events.envelope import Event, Position
from events.topics import COMMANDS_TOPIC, EVENTS_TOPIC
from services.kit.eventlog import _event
from services.kit.kafka import reader
from services.kit.postgres import connect
from services.kit.settings import Settings
from services.kit.statements import load_queries
from services.kit.stopping import stop_client
from tests.chaos.harness import audit

POLL_MS = 200
READ_S = 300.0

_sql = load_queries(__file__)
Records = dict[int, list[ConsumerRecord]]


@dataclass(frozen=True)
class Truth:
    """All of it, at the end, when nobody changes anything any more."""

    commands: Records
    commands_end: dict[int, int]
    events: Records
    environments: set[str]
    heads: dict[str, int]
    cursors: dict[int, int]
    inbox: list[asyncpg.Record]
    log: list[Event]
    dead_letters: list[asyncpg.Record]
    projection: list[asyncpg.Record]
    audit: list[asyncpg.Record]


class Tail:
    """The records of one topic that readers of committed ones see, from its beginning."""

    def __init__(self, consumer: AIOKafkaConsumer, partitions: list[TopicPartition]) -> None:
        self.records: Records = defaultdict(list)
        self._consumer = consumer
        self._partitions = partitions

    async def catch_up(self) -> dict[int, int]:
        """Read to the end; return where that is in each partition."""
        async with asyncio.timeout(READ_S):
            ends = await self._consumer.end_offsets(self._partitions)
            while any([await self._consumer.position(each) < ends[each] for each in self._partitions]):
                batches = await self._consumer.getmany(timeout_ms=POLL_MS)
                for where, records in batches.items():
                    self.records[where.partition] += records
        return {where.partition: end for where, end in ends.items()}


@asynccontextmanager
async def open_tail(settings: Settings, topic: str) -> AsyncIterator[Tail]:
    """Give a reader of `topic` for the length of the block."""
    consumer = reader(settings.kafka)
    try:
        await consumer.start()
        partitions = [TopicPartition(topic, each) for each in range(settings.kafka.partitions)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        yield Tail(consumer, partitions)
    finally:
        await stop_client(consumer)


def commands_topic(settings: Settings) -> str:
    return COMMANDS_TOPIC.name(settings.kafka.topic_prefix)


def events_topic(settings: Settings) -> str:
    return EVENTS_TOPIC.name(settings.kafka.topic_prefix)


async def lags(settings: Settings, commands: Tail, events: Tail) -> dict[str, int]:
    """Return how much is still to be done: commands to compose, partitions to publish, steps to build."""
    ends = await commands.catch_up()
    await events.catch_up()
    connection = await connect(settings.postgres)
    try:
        cursors = {row["partition"]: row["next_offset"] async for row in _sql.cursors(connection)}
        lasts = {
            row["partition"]: Position(row["log_offset"], row["log_index"])
            async for row in _sql.last_events(connection)
        }
        pending = await _sql.pending_steps(connection)
    finally:
        await connection.close()
    unpublished = sum(_published(events.records[partition]) != last for partition, last in lasts.items())
    composed = sum(ends[partition] - cursors.get(partition, 0) for partition in ends)
    return {"commands": composed, "partitions to publish": unpublished, "steps to build": pending}


def _published(records: list[ConsumerRecord]) -> Position | None:
    if not records:
        return None
    return Position.parse(dict(records[-1].headers)["ce_position"].decode())


async def count_sessions(settings: Settings) -> int:
    """Return how many sessions our processes have."""
    connection = await connect(settings.postgres)
    try:
        return int(await _sql.sessions(connection))
    finally:
        await connection.close()


async def read_truth(settings: Settings) -> Truth:
    """Read everything."""
    async with (
        open_tail(settings, commands_topic(settings)) as commands,
        open_tail(settings, events_topic(settings)) as events,
    ):
        ends = await commands.catch_up()
        await events.catch_up()
    connection = await connect(settings.postgres)
    try:
        return Truth(
            commands=commands.records,
            commands_end=ends,
            events=events.records,
            environments={row["id"] for row in await _all(_sql.environments(connection))},
            heads={row["environment"]: row["sequence"] for row in await _all(_sql.heads(connection))},
            cursors={row["partition"]: row["next_offset"] for row in await _all(_sql.cursors(connection))},
            inbox=await _all(_sql.inbox(connection)),
            log=[_event(row) for row in await _all(_sql.event_log(connection))],
            dead_letters=await _all(_sql.dead_letters(connection)),
            projection=await _all(_sql.projection(connection)),
            audit=await audit.moves(connection),
        )
    finally:
        await connection.close()


async def _all(rows: Any) -> list[asyncpg.Record]:
    return [row async for row in rows]

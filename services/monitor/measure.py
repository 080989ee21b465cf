"""How far behind each part is, with a bounded effort."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from events.envelope import Position
from events.topics import COMMANDS_TOPIC, EVENTS_TOPIC
from services.kit.kafka import ADMIN_TIMEOUT_MS
from services.kit.lag import NOTHING, read_unpublished, records_behind
from services.kit.postgres import Connection
from services.kit.settings import Settings
from services.kit.statements import load_queries
from services.kit.topic_ends import TopicEnds
from services.monitor.intake import COMMANDS, EVENTS
from services.monitor.progress import Source

ASK_S = 5.0
LAST_INDEX = 2**31 - 1

sql = load_queries(__file__)


class Behind(NamedTuple):
    """How many records a part has not worked off in one partition."""

    part: str
    partition: int
    records: int


class Meter:
    """Asks Kafka where the topics end and what groups have committed. Connects when it is asked first, and again."""

    def __init__(self, settings: Settings, partitions: int) -> None:
        self._kafka = settings.kafka
        self._builder = settings.kafka.group("builder", settings.builder.group_id)
        self._topics = {
            COMMANDS: COMMANDS_TOPIC.name(settings.kafka.topic_prefix),
            EVENTS: EVENTS_TOPIC.name(settings.kafka.topic_prefix),
        }
        self._partitions = range(partitions)
        self._ends = TopicEnds(settings.kafka)
        self._asked = TopicEnds(settings.kafka)
        self._admin: AIOKafkaAdminClient | None = None

    async def ends(self) -> dict[Source, int]:
        """Return where the committed records of each partition end. Raises KafkaError or TimeoutError."""
        sources = [Source(topic, partition) for topic in self._topics for partition in self._partitions]
        where = {TopicPartition(self._topics[source.topic], source.partition): source for source in sources}
        ends = await self._ends.read(where)
        return {source: ends[partition] for partition, source in where.items()}

    async def ask(self) -> None:
        """Return once Kafka has answered, beside whatever else is asked. Raises KafkaError or TimeoutError."""
        await self._asked.read([TopicPartition(self._topics[COMMANDS], 0)])

    async def builder(self, ends: Mapping[Source, int]) -> list[Behind]:
        """Return how far the builders are behind. Raises KafkaError or TimeoutError."""
        topic = self._topics[EVENTS]
        async with asyncio.timeout(ASK_S):
            if self._admin is None:
                self._admin = AIOKafkaAdminClient(
                    bootstrap_servers=self._kafka.bootstrap_servers, request_timeout_ms=ADMIN_TIMEOUT_MS
                )
                await self._admin.start()
            committed = await self._admin.list_consumer_group_offsets(self._builder)
        done = {where.partition: at.offset for where, at in committed.items() if where.topic == topic}
        return [
            Behind(
                "builder",
                partition,
                records_behind(ends[Source(EVENTS, partition)], done.get(partition, 0), is_transactional=True),
            )
            for partition in self._partitions
        ]

    async def composer(self, connection: Connection, ends: Mapping[Source, int]) -> list[Behind]:
        """Return how far the composers are behind. Raises what Postgres did."""
        rows = sql.read_cursors(connection, topic=self._topics[COMMANDS])
        cursors = {row["partition"]: row["next_offset"] async for row in rows}
        return [
            Behind("composer", partition, records_behind(ends[Source(COMMANDS, partition)], cursors.get(partition, 0)))
            for partition in self._partitions
        ]

    async def relay(
        self, connection: Connection, published: Mapping[int, int], unread: Mapping[int, int]
    ) -> list[Behind]:
        """Return how far the relays are behind: what is logged behind the last `published` result that was read.

        A result is the last event of its command. `unread` is how much of the topic the monitor itself has not read;
        that much is not the relay's fault. Raises what Postgres did.
        """
        found = []
        for partition in unread:
            noted = await sql.read_published(connection, partition=partition)
            certain = Position(noted["log_offset"], noted["log_index"]) if noted else NOTHING
            read = Position(published.get(partition, NOTHING.offset), LAST_INDEX)
            logged = await read_unpublished(connection, partition, max(certain, read))
            found.append(Behind("relay", partition, max(0, logged.events - unread[partition])))
        return found

    async def settled(self, connection: Connection, partition: int, offsets: Iterable[int]) -> set[int]:
        """Return which commands were decided and will never have a result of their own."""
        rows = sql.settled(connection, topic=self._topics[COMMANDS], partition=partition, offsets=sorted(offsets))
        return {row["log_offset"] async for row in rows}

    async def close(self) -> None:
        """Let go of Kafka; the next question connects anew."""
        admin, self._admin = self._admin, None
        await self._ends.close()
        await self._asked.close()
        if admin is not None:
            await admin.close()

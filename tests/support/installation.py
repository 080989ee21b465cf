"""An installation of its own for a test: a database, topics and a signing key that nobody else uses."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from pydantic import SecretStr

from events.codec import Headers, decode_event, encode_command
from events.commands import CommandData
from events.envelope import Command, Event, timestamp
from events.topics import COMMANDS_TOPIC, EVENTS_TOPIC
from services.admin.control import create_environment, create_token, create_user
from services.kit.kafka import count_partitions, ensure_topics, idempotent_producer, reader
from services.kit.migrations import migrate
from services.kit.postgres import connect
from services.kit.sealing import ensure_secrets_key
from services.kit.settings import AuthSettings, KafkaSettings, PostgresSettings, Settings
from services.kit.signing_keys import ensure_signing_key
from tests.support.servers import Servers


def unique(prefix: str) -> str:
    """Return a name that no other test uses."""
    return f"{prefix}-{uuid.uuid4().hex[:10]}"


async def new_installation(servers: Servers, folder: Path, partitions: int = 4) -> Settings:
    """Return the settings of a new, prepared installation on `servers`."""
    settings = Settings(
        kafka=KafkaSettings(
            bootstrap_servers=servers.bootstrap_servers, topic_prefix=unique("t"), partitions=partitions
        ),
        postgres=PostgresSettings(dsn=SecretStr(await servers.new_database())),
        auth=AuthSettings(signing_key_file=folder / "signing-key.pem"),
    )
    settings.objects.location = str(folder / "objects")
    settings.secrets.key_file = folder / "secrets.key"
    settings.builder.work_dir = folder / "builder"
    await asyncio.to_thread(migrate, settings.postgres)
    await ensure_topics(settings.kafka)
    ensure_signing_key(settings.auth.signing_key_file)
    ensure_secrets_key(settings.secrets.key_file)
    return settings


@dataclass(frozen=True)
class Member:
    """A user with an SDK token in an environment."""

    environment: str
    sdk_token: str


async def new_member(postgres: PostgresSettings, environment: str | None = None) -> Member:
    """Create an environment (unless one is named) with a user and a token in it."""
    environment = environment or unique("env")
    connection = await connect(postgres)
    try:
        await create_environment(connection, environment)
        user = unique("user")
        await create_user(connection, user, f"{user}@example.org")
        token = await create_token(connection, environment, user)
    finally:
        await connection.close()
    return Member(environment, token["sdk_token"])


def command(environment: str, data: CommandData, **given: object) -> Command:
    """Return a command as a plain Kafka producer would ask it."""
    fields: dict[str, object] = {
        "id": uuid4(),
        "environment": environment,
        "actor": "test-producer",
        "source": "/tests",
        "time": timestamp(datetime.now(UTC)),
        "data": data,
    }
    return Command(**{**fields, **given})  # type: ignore[arg-type]


@dataclass(frozen=True)
class Log:
    """A plain Kafka client on both topics of an installation."""

    kafka: KafkaSettings
    producer: AIOKafkaProducer

    @property
    def commands_topic(self) -> str:
        return COMMANDS_TOPIC.name(self.kafka.topic_prefix)

    @property
    def events_topic(self) -> str:
        return EVENTS_TOPIC.name(self.kafka.topic_prefix)

    async def ask(self, *commands: Command) -> None:
        """Produce commands and wait for Kafka's acknowledgement of all."""
        for each in commands:
            record = encode_command(each)
            await self.put(record.key, record.value, record.headers)

    async def put(self, key: bytes | None, value: bytes | None, headers: Headers, partition: int | None = None) -> None:
        """Produce a raw record on the commands topic."""
        await self.producer.send_and_wait(
            self.commands_topic, value, key=key, headers=list(headers), partition=partition
        )

    async def events(self, enough: int, within_s: float = 30.0) -> list[Event]:
        """Return all events on the topic once there are at least `enough`. Raises TimeoutError."""
        records = await self.records(self.events_topic, enough, within_s)
        return [decode_event(record.partition, record.headers, record.value) for record in records]

    async def records(self, topic: str, enough: int, within_s: float = 30.0) -> list[ConsumerRecord]:
        """Return all records on a topic once there are at least `enough`. Raises TimeoutError."""
        consumer = reader(self.kafka)
        await consumer.start()
        found: list[ConsumerRecord] = []
        try:
            partitions = await self._from_start(consumer, topic)
            async with asyncio.timeout(within_s):
                while len(found) < enough:
                    found += await _poll(consumer)
            found += await self._rest(consumer, partitions)
        finally:
            await consumer.stop()
        return found

    async def asked(self) -> int:
        """Return how many records were written to the commands topic so far."""
        consumer = reader(self.kafka)
        await consumer.start()
        try:
            return sum((await consumer.end_offsets(await self._from_start(consumer, self.commands_topic))).values())
        finally:
            await consumer.stop()

    async def _from_start(self, consumer: AIOKafkaConsumer, topic: str) -> Sequence[TopicPartition]:
        number = await count_partitions(self.kafka, topic)
        partitions = [TopicPartition(topic, each) for each in range(number)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        return partitions

    async def _rest(self, consumer: AIOKafkaConsumer, partitions: Sequence[TopicPartition]) -> list[ConsumerRecord]:
        ends = await consumer.end_offsets(partitions)
        rest: list[ConsumerRecord] = []
        while any([await consumer.position(each) < ends[each] for each in partitions]):
            rest += await _poll(consumer)
        return rest


async def _poll(consumer: AIOKafkaConsumer) -> list[ConsumerRecord]:
    batches = await consumer.getmany(timeout_ms=100)
    return [record for records in batches.values() for record in records]


@asynccontextmanager
async def open_log(kafka: KafkaSettings) -> AsyncIterator[Log]:
    """Give a plain Kafka client for the length of the block."""
    producer = idempotent_producer(kafka)
    await producer.start()
    try:
        yield Log(kafka, producer)
    finally:
        await producer.stop()

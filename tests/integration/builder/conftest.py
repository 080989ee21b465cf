"""A builder on real Kafka: what it reads is published here, and what it reports is read back."""

import asyncio
import uuid
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from dulwich import porcelain

from events.codec import Headers, decode_command, encode_event, read_attributes
from events.commands import StepBuildReported
from events.envelope import Command, Event, Position
from events.resources import InputSpec, Step, StepStatus
from events.results import StepCreated
from events.topics import COMMANDS_TOPIC, EVENTS_TOPIC
from services.builder.service import main
from services.kit.health import Health
from services.kit.kafka import group_consumer, reader
from services.kit.settings import KafkaSettings, Settings
from tests.support.installation import Log
from tests.support.services import eventually, running_service

WAIT_S = 20.0


@dataclass(frozen=True)
class Workshop:
    """A builder's surroundings: it publishes events as the relay does, and reads the reports."""

    settings: Settings
    producer: AIOKafkaProducer

    def builder(self) -> AbstractAsyncContextManager[Health]:
        """Run a builder for the length of a block."""
        return running_service(main, self.settings)

    async def publish(self, event: Event) -> None:
        record = encode_event(event)
        await self.publish_raw(record.value, record.headers, record.key)

    async def publish_raw(self, value: bytes | None, headers: Headers, key: bytes = b"lab") -> None:
        topic = EVENTS_TOPIC.name(self.settings.kafka.topic_prefix)
        async with asyncio.timeout(WAIT_S):
            await self.producer.send_and_wait(topic, value, key=key, headers=list(headers))

    async def reports(self, count: int) -> list[Command]:
        """Return the first `count` commands on the commands topic, waiting for them."""
        consumer = reader(self.settings.kafka)
        await consumer.start()
        try:
            partitions = _partitions(self.settings.kafka, COMMANDS_TOPIC.name(self.settings.kafka.topic_prefix))
            consumer.assign(partitions)
            await consumer.seek_to_beginning(*partitions)
            found: list[Command] = []
            async with asyncio.timeout(WAIT_S):
                while len(found) < count:
                    for records in (await consumer.getmany(timeout_ms=200)).values():
                        found += [_command(record.headers, record.value) for record in records]
            return found
        finally:
            await consumer.stop()

    async def lag(self) -> int:
        """Return how many records of the events topic the builder's group has not committed."""
        consumer = group_consumer(self.settings.kafka, self.settings.kafka.group("builder", None))
        await consumer.start()
        try:
            partitions = _partitions(self.settings.kafka, EVENTS_TOPIC.name(self.settings.kafka.topic_prefix))
            ends = await consumer.end_offsets(partitions)
            done = [await consumer.committed(partition) or 0 for partition in partitions]
            return int(sum(ends.values()) - sum(done))
        finally:
            await consumer.stop()

    async def caught_up(self) -> None:
        """Return once everything on the events topic is committed."""

        async def has_no_lag() -> bool:
            return await self.lag() == 0

        await eventually(has_no_lag, WAIT_S)


def _partitions(kafka: KafkaSettings, topic: str) -> list[TopicPartition]:
    return [TopicPartition(topic, number) for number in range(kafka.partitions)]


def _command(headers: Headers, value: bytes | None) -> Command:
    return decode_command(read_attributes(headers), value, datetime.now(UTC))


@pytest.fixture
def workshop(installation: Settings, log: Log, tmp_path: Path) -> Workshop:
    installation.builder.source_roots = [tmp_path]
    return Workshop(installation, log.producer)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A git repository with a step `train(rows)` in `train.py`."""
    folder, ada = tmp_path / "churn", b"Ada <ada@example.org>"
    folder.mkdir()
    (folder / "train.py").write_text("def train(rows): ...\n")
    porcelain.init(str(folder)).close()
    porcelain.add(str(folder), [str(folder / "train.py")])
    porcelain.commit(str(folder), message=b"a step", author=ada, committer=ada)
    return folder


@pytest.fixture
def created() -> Callable[..., Event]:
    """Make the event that a step with a source was created."""

    def make(repository_url: str, *, step_name: str = "train") -> Event:
        command_id = uuid.uuid4()
        data = StepCreated(step=_pending(step_name, repository_url, str(command_id)))
        return Event(
            partition=0,
            position=Position(0, 0),
            environment="lab",
            sequence=1,
            type="StepCreated",
            version=1,
            subject=data.subject(),
            command_id=command_id,
            command_source="/test",
            is_result=True,
            actor="ada",
            time=data.step.created_at,
            data=data.model_dump_json(),
        )

    return make


def _pending(name: str, repository_url: str, requested_by: str) -> Step:
    return Step(
        step_name=name,
        function_path="train.py",
        function_name="train",
        description=None,
        inputs=[InputSpec(name="rows", data_type="json")],
        outputs=[],
        container_config={"repository_url": repository_url},
        status=StepStatus.PENDING,
        requested_by=requested_by,
        created_at="2026-01-31T12:00:00.000Z",
        created_by="ada",
        updated_at="2026-01-31T12:00:00.000Z",
    )


@pytest.fixture
def reported() -> Callable[[Command], StepBuildReported]:
    """Return the data of a report."""

    def data_of(command: Command) -> StepBuildReported:
        assert isinstance(command.data, StepBuildReported)
        return command.data

    return data_of

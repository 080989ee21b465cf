"""Plain Kafka producers: good commands, the same again, poison, strays, and another body under a known id."""

import asyncio
import itertools
import time
from random import Random
from uuid import UUID

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from events.codec import Record, encode_command
from events.commands import CommandData, DeploymentRequested, PipelineDeleteRequested, PipelineRequested
from events.topics import COMMANDS_TOPIC
from services.kit.kafka import idempotent_producer
from services.kit.partitions import partition_of
from services.kit.settings import KafkaSettings
from services.kit.stopping import stop_client
from tests.chaos.harness.history import History, Produced, Sort
from tests.chaos.harness.http_clients import BASE_STEP
from tests.support.installation import command

ACKNOWLEDGED_S = 15.0
# What was held up is made up for, so many at once: how much is asked in a run does not depend on the machine.
RATE_PER_S = 32
AT_ONCE = 250
PAUSE_S = 0.15
RETRY_S = 0.5
RECENT = 200
# How often a record is of each sort, in a hundred.
SORTS = {Sort.GOOD: 91, Sort.DUPLICATE: 5, Sort.POISON: 2, Sort.MISROUTED: 1, Sort.REUSED: 1}


class KafkaClient:
    """One producer of an environment, trusted by nobody to be right."""

    def __init__(
        self, kafka: KafkaSettings, environment: str, others: list[str], history: History, random: Random
    ) -> None:
        self._kafka = kafka
        self._topic = COMMANDS_TOPIC.name(kafka.topic_prefix)
        self._environment = environment
        self._others = others
        self._history = history
        self._random = random
        self._numbers = itertools.count()
        self._produced = 0
        self._sent: list[tuple[UUID, Record]] = []
        self._pipelines = ["none"]

    async def run(self, stop: asyncio.Event) -> None:
        """Produce until `stop` is set; a producer that broke is replaced, and what it had under way is unknown."""
        began = time.monotonic()
        while not stop.is_set():
            producer = idempotent_producer(self._kafka)
            try:
                async with asyncio.timeout(ACKNOWLEDGED_S):
                    await producer.start()
                await self._produce(producer, began, stop)
            except (KafkaError, OSError, TimeoutError) as error:
                self._history.unknown[f"producer: {type(error).__name__}"] += 1
                await asyncio.sleep(RETRY_S)
            finally:
                await stop_client(producer)

    async def _produce(self, producer: AIOKafkaProducer, began: float, stop: asyncio.Event) -> None:
        while not stop.is_set():
            due = int((time.monotonic() - began) * RATE_PER_S) - self._produced
            sorts = self._random.choices(list(SORTS), list(SORTS.values()), k=min(max(due, 1), AT_ONCE))
            async with asyncio.timeout(ACKNOWLEDGED_S):
                acknowledged = await asyncio.gather(
                    *[self._put(producer, sort) for sort in sorts], return_exceptions=True
                )
            for trouble in acknowledged:
                if isinstance(trouble, BaseException):
                    raise trouble
            await asyncio.sleep(PAUSE_S)

    async def _put(self, producer: AIOKafkaProducer, sort: Sort) -> None:
        sort = sort if self._sent else Sort.GOOD
        command_id, record, partition = self._made(sort)
        entry = Produced(self._environment, command_id, sort)
        self._history.produced.append(entry)
        self._produced += 1
        told = await producer.send_and_wait(
            self._topic, record.value, key=record.key, headers=record.headers, partition=partition
        )
        entry.partition, entry.offset = told.partition, told.offset

    def _made(self, sort: Sort) -> tuple[UUID | None, Record, int | None]:
        """Return a record of a sort, with its id, and the partition if it is not left to its key."""
        if sort is Sort.DUPLICATE:
            return *self._random.choice(self._sent), None
        if sort is Sort.REUSED:
            command_id, _ = self._random.choice(self._sent)
            return command_id, self._record(command_id, self._created()), None
        command_id = UUID(int=self._random.getrandbits(128), version=4)
        record = self._record(command_id, self._data())
        if sort is Sort.POISON:
            return command_id, self._poisoned(record), None
        if sort is Sort.MISROUTED:
            return command_id, *self._misrouted(record)
        self._sent = [*self._sent[-RECENT:], (command_id, record)]
        return command_id, record, None

    def _record(self, command_id: UUID, data: CommandData) -> Record:
        return encode_command(command(self._environment, data, id=command_id))

    def _data(self) -> CommandData:
        kind = self._random.random()
        pipeline = self._random.choice(self._pipelines)
        if kind < 0.15:
            return PipelineDeleteRequested(pipeline_name=pipeline, force_deployments_deletion=kind < 0.1)
        if kind < 0.3:
            name = f"{self._environment}-k-{next(self._numbers)}"
            return DeploymentRequested(name=name, pipeline_name=pipeline, execution_rule="endpoint")
        return self._created()

    def _created(self) -> PipelineRequested:
        name = f"{self._environment}-k-{next(self._numbers)}"
        self._pipelines = [*self._pipelines[-30:], name]
        step = BASE_STEP if self._random.random() < 0.95 else f"{self._environment}-absent"
        return PipelineRequested(pipeline_name=name, step_names=[step])

    def _poisoned(self, record: Record) -> Record:
        headers = dict(record.headers)
        match self._random.randrange(5):
            case 0:
                return Record(record.key, b'{"pipeline_name": ', record.headers)
            case 1:
                headers.pop("ce_id")
            case 2:
                headers["ce_type"] = b"pipeloom.NothingRequested.v1"
            case 3:
                headers["ce_time"] = b"yesterday"
            case 4:
                return Record(record.key, b'{"pipeline_name": "\\u0000", "step_names": 7}', record.headers)
        return Record(record.key, record.value, list(headers.items()))

    def _misrouted(self, record: Record) -> tuple[Record, int | None]:
        """Return the record under another environment's key, or on a partition that is not its own."""
        if self._random.random() < 0.5:
            return Record(self._random.choice(self._others).encode(), record.value, record.headers), None
        return record, (partition_of(self._environment, self._kafka.partitions) + 1) % self._kafka.partitions

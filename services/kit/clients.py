"""What the composer and the relay ask of Kafka, as narrow ports; tests/simulation has others behind them.

Postgres needs none of its own: pools and connections are the port, and the named statements what goes through it.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from aiokafka import ConsumerRecord, TopicPartition

from services.kit.kafka import count_partitions, group_consumer, reader, transactional_producer
from services.kit.settings import KafkaSettings
from services.kit.topic_id import topic_id


class Stoppable(Protocol):
    """A client that is started once and stopped once."""

    async def start(self) -> None: ...

    async def stop(self) -> None: ...


class Consumer(Stoppable, Protocol):
    """The part of AIOKafkaConsumer that is used without a group."""

    def assign(self, partitions: Iterable[TopicPartition]) -> None: ...

    def assignment(self) -> Collection[TopicPartition]: ...

    def pause(self, *partitions: TopicPartition) -> None: ...

    def resume(self, *partitions: TopicPartition) -> None: ...

    def seek(self, partition: TopicPartition, offset: int) -> None: ...

    def partitions_for_topic(self, topic: str) -> Collection[int] | None: ...

    def highwater(self, partition: TopicPartition) -> int | None: ...

    async def position(self, partition: TopicPartition) -> int: ...

    async def beginning_offsets(self, partitions: Iterable[TopicPartition]) -> Mapping[TopicPartition, int]: ...

    async def end_offsets(self, partitions: Iterable[TopicPartition]) -> Mapping[TopicPartition, int]: ...

    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int = 0, max_records: int | None = None
    ) -> Mapping[TopicPartition, Sequence[ConsumerRecord]]: ...


class GroupConsumer(Consumer, Protocol):
    """The part of AIOKafkaConsumer that is used with a group."""

    def subscribe(self, topics: Iterable[str], *, listener: Any) -> None: ...

    async def committed(self, partition: TopicPartition) -> int | None: ...

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None: ...


class TransactionalProducer(Stoppable, Protocol):
    """The part of AIOKafkaProducer that is used; `send` gives the future of what Kafka says of the record."""

    async def begin_transaction(self) -> None: ...

    async def send(
        self, topic: str, value: bytes, *, key: bytes, headers: Sequence[tuple[str, bytes]], partition: int
    ) -> Any: ...

    async def commit_transaction(self) -> None: ...


class Clients(Protocol):
    """Makes clients, and answers what is asked of Kafka without one."""

    def group_consumer(self, group_id: str, **options: Any) -> GroupConsumer: ...

    def reader(self) -> Consumer: ...

    def transactional_producer(self, transactional_id: str) -> TransactionalProducer: ...

    async def count_partitions(self, topic: str) -> int: ...

    async def topic_id(self, topic: str) -> UUID: ...


@dataclass(frozen=True, slots=True)
class KafkaClients:
    """The clients of a real Kafka."""

    kafka: KafkaSettings

    def group_consumer(self, group_id: str, **options: Any) -> GroupConsumer:
        client: GroupConsumer = group_consumer(self.kafka, group_id, **options)
        return client

    def reader(self) -> Consumer:
        client: Consumer = reader(self.kafka)
        return client

    def transactional_producer(self, transactional_id: str) -> TransactionalProducer:
        client: TransactionalProducer = transactional_producer(self.kafka, transactional_id)
        return client

    async def count_partitions(self, topic: str) -> int:
        return await count_partitions(self.kafka, topic)

    async def topic_id(self, topic: str) -> UUID:
        return await topic_id(self.kafka, topic)

"""The transactional producer of the simulated broker, and what makes clients."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from aiokafka import TopicPartition
from aiokafka.errors import ProducerFenced

from tests.simulation.broker import Broker
from tests.simulation.clock import Process
from tests.simulation.consumers import Calls, GroupConsumer, Reader
from tests.simulation.log import Headers, Payload
from tests.simulation.network import Network
from tests.simulation.transactions import Concurrent


class Sent(NamedTuple):
    """What Kafka says of a record."""

    offset: int


@dataclass(frozen=True, slots=True)
class _Waiting:
    where: TopicPartition
    payload: Payload
    told: "asyncio.Future[Sent]"


class Producer:
    """Sends what waits in pieces, at the latest at the commit; asks again for what it has no answer to."""

    def __init__(self, calls: Calls, transactional_id: str) -> None:
        self._call = calls
        self._name = transactional_id
        self._epoch = -1
        self._number = 0
        self._orders = 0
        self._waiting: list[_Waiting] = []

    async def start(self) -> None:
        transactions = self._call.broker.transactions
        self._epoch = await self._call.until_told("fence", lambda: transactions.take(self._name), Concurrent)
        self._call.tell(f"{self._name} has epoch {self._epoch}")

    async def stop(self) -> None:
        for each in self._waiting:
            each.told.cancel()
        self._waiting.clear()

    async def begin_transaction(self) -> None:
        self._number += 1

    async def send(
        self, topic: str, value: bytes, *, key: bytes, headers: Headers, partition: int
    ) -> "asyncio.Future[Sent]":
        told: asyncio.Future[Sent] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(TopicPartition(topic, partition), Payload(key, value, headers), told))
        if self._call.network.random.random() < 0.2:
            await self.flush()
        return told

    async def commit_transaction(self) -> None:
        await self.flush()
        number, transactions = self._number, self._call.broker.transactions
        await self._call.until_told(
            "end transaction", lambda: transactions.end(self._name, self._epoch, number, "commit"), Concurrent
        )

    async def abort_transaction(self) -> None:
        await self.flush()
        number, transactions = self._number, self._call.broker.transactions
        await self._call.until_told(
            "end transaction", lambda: transactions.end(self._name, self._epoch, number, "abort"), Concurrent
        )

    async def flush(self) -> None:
        """Have all that waits on the broker."""
        while self._waiting:
            where = self._waiting[0].where
            piece = [each for each in self._waiting if each.where == where]
            await self._write(where, piece)
            self._waiting = [each for each in self._waiting if each.where != where]

    async def _write(self, where: TopicPartition, piece: Sequence[_Waiting]) -> None:
        self._orders += 1
        write = self._writing(where, [each.payload for each in piece], self._number, self._orders)
        try:
            offsets = await self._call.until_told("produce", write, Concurrent)
        except ProducerFenced:
            self._call.tell(f"{self._name}: fenced")
            raise
        for each, offset in zip(piece, offsets, strict=True):
            each.told.set_result(Sent(offset))

    def _writing(
        self, where: TopicPartition, payloads: Sequence[Payload], number: int, order: int
    ) -> Callable[[], tuple[int, ...]]:
        transactions, name, epoch = self._call.broker.transactions, self._name, self._epoch
        return lambda: transactions.write(name, epoch, number, order, where, payloads)


class SimulatedClients:
    """Clients of the simulated broker, all of one process."""

    def __init__(self, network: Network, broker: Broker, process: Process | None = None) -> None:
        self._call = Calls(network, broker, process)

    def group_consumer(self, group_id: str, **options: Any) -> GroupConsumer:
        return GroupConsumer(self._call, group_id, options)

    def reader(self) -> Reader:
        return Reader(self._call)

    def transactional_producer(self, transactional_id: str) -> Producer:
        return Producer(self._call, transactional_id)

    async def count_partitions(self, topic: str) -> int:
        return await self._call("count partitions", lambda: self._call.broker.partitions)

    async def topic_id(self, topic: str) -> UUID:
        return await self._call("topic id", lambda: self._call.broker.topic_id(topic))

"""Kafka in memory: topics, groups and transactions, as its servers hold them."""

from collections.abc import Sequence
from uuid import UUID

from aiokafka import TopicPartition

from tests.simulation.groups import Group
from tests.simulation.log import PartitionLog, Payload
from tests.simulation.network import Network
from tests.simulation.transactions import Transactions

REPLICATION_S = 0.002


class Broker:
    """What all clients share."""

    def __init__(self, network: Network, topics: Sequence[str], partitions: int) -> None:
        self._network = network
        self.partitions = partitions
        self.logs = {TopicPartition(topic, each): PartitionLog() for topic in topics for each in range(partitions)}
        self.groups: dict[str, Group] = {}
        self.transactions = Transactions(self.log_of, self._replicate, network.later, network.delay)

    def log_of(self, where: TopicPartition) -> PartitionLog:
        return self.logs[where]

    def topic_id(self, topic: str) -> UUID:
        return UUID(int=1 + sorted({where.topic for where in self.logs}).index(topic))

    def group(self, name: str, topic: str) -> Group:
        if name not in self.groups:
            partitions = [TopicPartition(topic, each) for each in range(self.partitions)]
            self.groups[name] = Group(partitions, self._network.later, self._network.random.shuffle)
        return self.groups[name]

    def append(self, where: TopicPartition, payload: Payload) -> int:
        """Append a record outside of any transaction."""
        log = self.logs[where]
        offset = log.append(payload)
        self._replicate(log)
        return offset

    def _replicate(self, log: PartitionLog) -> None:
        """Raise the high watermark when the replicas have what is there now."""
        self._network.later(self._network.random.uniform(0, REPLICATION_S), log.replicated, log.end)

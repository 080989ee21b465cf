"""Both sides of the contract: real servers, and the simulated ones on the test's own clock."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest
from aiokafka import TopicPartition

from events.topics import COMMANDS_TOPIC, EVENTS_TOPIC
from services.kit.clients import Clients, KafkaClients
from services.kit.postgres import open_pool
from services.kit.settings import Settings
from tests.simulation.broker import Broker
from tests.simulation.log import Payload
from tests.simulation.network import Network
from tests.simulation.postgres import Postgres, SimulatedPool
from tests.simulation.producers import SimulatedClients
from tests.support.installation import new_member, open_log

ENVIRONMENT = "amber"
PARTITIONS = 4
PREFIX = "contract"

Put = Callable[[int, bytes], Awaitable[int]]


@dataclass(frozen=True)
class Edges:
    """What composer and relay touch. `put` writes a record to a partition of the commands topic."""

    clients: Clients
    pool: Any
    put: Put
    commands: str
    events: str

    def command_partition(self, partition: int) -> TopicPartition:
        return TopicPartition(self.commands, partition)

    def event_partition(self, partition: int) -> TopicPartition:
        return TopicPartition(self.events, partition)


@pytest.fixture(params=["simulated", "real"])
def edges(request: pytest.FixtureRequest) -> Edges:
    """One side after the other; nothing was written on it yet."""
    found: Edges = request.getfixturevalue(f"{request.param}_edges")
    return found


@pytest.fixture
async def real_edges(installation: Settings) -> AsyncIterator[Edges]:
    """An installation on real servers."""
    await new_member(installation.postgres, ENVIRONMENT)
    prefix = installation.kafka.topic_prefix
    commands, events = COMMANDS_TOPIC.name(prefix), EVENTS_TOPIC.name(prefix)
    async with open_log(installation.kafka) as log, open_pool(installation.postgres) as pool:

        async def put(partition: int, value: bytes) -> int:
            sent = await log.producer.send_and_wait(commands, value, partition=partition)
            return int(sent.offset)

        yield Edges(KafkaClients(installation.kafka), pool, put, commands, events)


@pytest.fixture
async def simulated_edges() -> Edges:
    """An installation in memory."""
    network = Network("contract")
    commands, events = COMMANDS_TOPIC.name(PREFIX), EVENTS_TOPIC.name(PREFIX)
    broker, postgres = Broker(network, (commands, events), PARTITIONS), Postgres(network)
    postgres.tables.environments.add(ENVIRONMENT)

    async def put(partition: int, value: bytes) -> int:
        return broker.append(TopicPartition(commands, partition), Payload(None, value))

    return Edges(SimulatedClients(network, broker), SimulatedPool(postgres), put, commands, events)

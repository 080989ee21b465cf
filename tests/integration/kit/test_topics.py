"""The topics: made once, as they are described, and counted."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError

from events.topics import COMMANDS_TOPIC, EVENTS_TOPIC, TOPICS, Topic
from pipeloom.local.ports import HOST, pick_port
from services.kit.kafka import count_partitions, ensure_topics
from services.kit.settings import KafkaSettings
from tests.support.installation import unique
from tests.support.servers import Servers


@pytest.fixture
def kafka(servers: Servers) -> KafkaSettings:
    """Topics that nobody has made yet."""
    return KafkaSettings(bootstrap_servers=servers.bootstrap_servers, topic_prefix=unique("t"), partitions=3)


@asynccontextmanager
async def admin(kafka: KafkaSettings) -> AsyncIterator[AIOKafkaAdminClient]:
    client = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
    await client.start()
    try:
        yield client
    finally:
        await client.close()


async def test_topics_are_made_once(kafka: KafkaSettings) -> None:
    names = [topic.name(kafka.topic_prefix) for topic in TOPICS]
    assert await ensure_topics(kafka) == names
    assert await ensure_topics(kafka) == []


async def test_both_topics_have_the_same_number_of_partitions(kafka: KafkaSettings) -> None:
    await ensure_topics(kafka)
    for topic in (COMMANDS_TOPIC, EVENTS_TOPIC):
        assert await count_partitions(kafka, topic.name(kafka.topic_prefix)) == 3


async def test_only_the_missing_topic_is_made(kafka: KafkaSettings) -> None:
    await ensure_topics(kafka)
    async with admin(kafka) as client:
        await client.delete_topics([EVENTS_TOPIC.name(kafka.topic_prefix)])
    assert await ensure_topics(kafka) == [EVENTS_TOPIC.name(kafka.topic_prefix)]


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.suffix)
async def test_a_topic_keeps_what_it_promises(kafka: KafkaSettings, topic: Topic) -> None:
    await ensure_topics(kafka)
    async with admin(kafka) as client:
        resource = ConfigResource(ConfigResourceType.TOPIC, topic.name(kafka.topic_prefix))
        (answer,) = await client.describe_configs([resource])
    ((_, _, _, _, entries),) = answer.resources
    found = {entry[0]: entry[1] for entry in entries}
    assert found["retention.ms"] == str(topic.retention_ms)
    assert found["max.message.bytes"] == str(topic.max_message_bytes)
    assert found["cleanup.policy"] == "delete"


async def test_a_topic_that_the_broker_refuses_is_told(kafka: KafkaSettings) -> None:
    with pytest.raises(KafkaError, match=r"topic .*commands: "):
        await ensure_topics(kafka.model_copy(update={"replication_factor": 3}))


async def test_a_topic_that_is_not_there_cannot_be_counted(kafka: KafkaSettings) -> None:
    with pytest.raises(KafkaError, match="run `pipeloom init`"):
        await count_partitions(kafka, COMMANDS_TOPIC.name(kafka.topic_prefix))


async def test_a_kafka_that_is_away_is_told() -> None:
    with pytest.raises(KafkaError):
        await ensure_topics(KafkaSettings(bootstrap_servers=f"{HOST}:{pick_port()}"))

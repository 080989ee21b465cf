"""Kafka clients with the settings that keep the promises, and the topics they speak on."""

from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code

from events.topics import COMMANDS_TOPIC, EVENTS_TOPIC, MIB, TOPICS, Topic
from services.kit.settings import KafkaSettings

REQUEST_TIMEOUT_MS = 15_000
ADMIN_TIMEOUT_MS = 10_000
# A seek takes effect only when the fetch under way has returned.
FETCH_WAIT_MS = 100


def idempotent_producer(kafka: KafkaSettings) -> AIOKafkaProducer:
    """Return a producer whose acknowledgement means: on every in-sync replica, once."""
    return AIOKafkaProducer(
        bootstrap_servers=kafka.bootstrap_servers,
        enable_idempotence=True,
        acks="all",
        linger_ms=0,
        max_batch_size=MIB,
        max_request_size=COMMANDS_TOPIC.max_message_bytes,
        request_timeout_ms=REQUEST_TIMEOUT_MS,
    )


def transactional_producer(kafka: KafkaSettings, transactional_id: str) -> AIOKafkaProducer:
    """Return a producer that fences, by starting, the one that had `transactional_id` before."""
    return AIOKafkaProducer(
        bootstrap_servers=kafka.bootstrap_servers,
        transactional_id=transactional_id,
        transaction_timeout_ms=20_000,
        linger_ms=0,
        max_batch_size=MIB,
        max_request_size=EVENTS_TOPIC.max_message_bytes,
        request_timeout_ms=REQUEST_TIMEOUT_MS,
    )


def group_consumer(kafka: KafkaSettings, group_id: str, **options: Any) -> AIOKafkaConsumer:
    """Return a consumer that shares the partitions of what it subscribes to with its group."""
    defaults: dict[str, Any] = {
        "session_timeout_ms": 10_000,
        "heartbeat_interval_ms": 3_000,
        "rebalance_timeout_ms": 30_000,
        "max_poll_interval_ms": 60_000,
        "fetch_max_wait_ms": FETCH_WAIT_MS,
    }
    return AIOKafkaConsumer(
        bootstrap_servers=kafka.bootstrap_servers,
        group_id=group_id,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        request_timeout_ms=REQUEST_TIMEOUT_MS,
        **{**defaults, **options},
    )


def reader(kafka: KafkaSettings, *, fetch_min_bytes: int = 1) -> AIOKafkaConsumer:
    """Return a consumer without a group: its owner assigns and seeks.

    One that can wait for FETCH_WAIT_MS says from how many bytes on it does not: each answer costs the broker and us.
    """
    return AIOKafkaConsumer(
        bootstrap_servers=kafka.bootstrap_servers,
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="latest",
        fetch_min_bytes=fetch_min_bytes,
        fetch_max_wait_ms=FETCH_WAIT_MS,
        isolation_level="read_committed",
        request_timeout_ms=REQUEST_TIMEOUT_MS,
    )


async def ensure_topics(kafka: KafkaSettings) -> list[str]:
    """Create the topics that do not exist yet; return the names of those created."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers, request_timeout_ms=ADMIN_TIMEOUT_MS)
    await admin.start()
    try:
        return [topic.name(kafka.topic_prefix) for topic in TOPICS if await _create(admin, topic, kafka)]
    finally:
        await admin.close()


async def ensure_changelog(kafka: KafkaSettings, topic: str, partitions: int, max_message_bytes: int) -> None:
    """Create the compacted topic that a table is restored from, unless it exists. Raises KafkaError."""
    configs = {"max.message.bytes": str(max_message_bytes), "cleanup.policy": "compact"}
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers, request_timeout_ms=ADMIN_TIMEOUT_MS)
    await admin.start()
    try:
        await _make(admin, NewTopic(topic, partitions, kafka.replication_factor, topic_configs=configs))
    finally:
        await admin.close()


async def _create(admin: AIOKafkaAdminClient, topic: Topic, kafka: KafkaSettings) -> bool:
    """Create `topic`; return whether it is new. Raises KafkaError when the broker refuses."""
    wanted = NewTopic(
        topic.name(kafka.topic_prefix),
        kafka.partitions,
        kafka.replication_factor,
        topic_configs={
            "retention.ms": str(topic.retention_ms),
            "max.message.bytes": str(topic.max_message_bytes),
            "cleanup.policy": "delete",
        },
    )
    return await _make(admin, wanted)


async def _make(admin: AIOKafkaAdminClient, wanted: NewTopic) -> bool:
    response = await admin.create_topics([wanted], timeout_ms=ADMIN_TIMEOUT_MS)
    for _, code, *message in response.topic_errors:
        error = for_code(code)
        if error is TopicAlreadyExistsError:
            return False
        if code:
            raise error(f"topic {wanted.name}: {message[0] if message else error.description}")
    return True


async def count_partitions(kafka: KafkaSettings, topic: str) -> int:
    """Return how many partitions a topic has. Raises KafkaError when there is no such topic."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers, request_timeout_ms=ADMIN_TIMEOUT_MS)
    await admin.start()
    try:
        (described,) = await admin.describe_topics([topic])
    finally:
        await admin.close()
    if described["error_code"]:
        raise for_code(described["error_code"])(f"topic {topic} cannot be used; run `pipeloom init`")
    return len(described["partitions"])

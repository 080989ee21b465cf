"""Topics of the benchmarks' own."""

from aiokafka.admin import AIOKafkaAdminClient, NewTopic


async def make_topic(bootstrap_servers: str, name: str, partitions: int = 1) -> None:
    """Create a topic with one replica."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, partitions, 1)])
    finally:
        await admin.close()

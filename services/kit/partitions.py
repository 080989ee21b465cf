"""Which partition an environment lives on."""

from aiokafka.partitioner import murmur2


def partition_of(environment: str | bytes, partitions: int) -> int:
    """Return the partition of an environment: what Kafka's default partitioner gives its id as key."""
    key = environment.encode() if isinstance(environment, str) else environment
    return int((murmur2(key) & 0x7FFFFFFF) % partitions)

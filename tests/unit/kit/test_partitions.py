"""Where an environment's records land: where every other Kafka client puts them."""

import pytest
from aiokafka.partitioner import DefaultPartitioner
from hypothesis import given, settings
from hypothesis import strategies as st

from services.kit.partitions import partition_of

# What org.apache.kafka.common.utils.Utils.murmur2 gives (from its own unit test).
JAVA_HASHES = {
    "21": -973932308,
    "foobar": -790332482,
    "a-little-bit-long-string": -985981536,
    "a-little-bit-longer-string": -1486304829,
    "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    "abc": 479470107,
}


@pytest.mark.parametrize(("key", "java_hash"), JAVA_HASHES.items())
@pytest.mark.parametrize("partitions", [1, 4, 12, 1000])
def test_a_key_lands_where_the_java_client_puts_it(key: str, java_hash: int, partitions: int) -> None:
    assert partition_of(key, partitions) == (java_hash & 0x7FFFFFFF) % partitions


@settings(derandomize=True, deadline=None)
@given(st.text(min_size=1, max_size=100), st.integers(1, 1000))
def test_a_key_lands_where_our_own_producers_put_it(key: str, partitions: int) -> None:
    numbers = list(range(partitions))
    assert partition_of(key, partitions) == DefaultPartitioner()(key.encode(), numbers, numbers)


def test_a_key_may_be_given_as_text_or_as_bytes() -> None:
    assert partition_of("ünï", 97) == partition_of("ünï".encode(), 97)

"""What the builder tells: what came of its builds, how long they took, and how far behind it is."""

import asyncio
import contextlib

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from prometheus_client import Counter, Gauge, Histogram

from events.refusals import FailureCode
from services.builder.offsets import Offsets
from services.kit.lag import records_behind

BUILDS = Counter("pipeloom_builder_builds", "Builds by what came of them", ["outcome", "code"])
SECONDS = Histogram(
    "pipeloom_builder_build_seconds",
    "How long a build took, with the wait for a place",
    buckets=(0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0),
)
UNDER_WAY = Gauge("pipeloom_builder_builds_under_way", "Builds that are not reported yet")
LAG = Gauge("pipeloom_builder_lag_records", "Records of the events topic that no builder has done with", ["partition"])

POSITIONS_S = 1.0
_told: set[int] = set()

# A series that begins at 1 has not increased for Prometheus: those that alerts look at begin at 0.
BUILDS.labels("ready", "")
for _code in FailureCode:
    BUILDS.labels("failed", _code.value)


async def tell_lag(consumer: AIOKafkaConsumer, offsets: Offsets) -> dict[TopicPartition, int]:
    """Tell how much of each assigned partition this builder has not done with: what it may not commit yet, too.

    Return up to where it has done with each, as far as that is known.
    """
    all_done: dict[TopicPartition, int] = {}
    assigned = {where.partition: where for where in consumer.assignment()}
    for partition in _told - assigned.keys():
        LAG.remove(str(partition))
    _told.intersection_update(assigned)
    # A partition that has just come or gone has no position.
    with contextlib.suppress(KafkaError, TimeoutError, AssertionError):
        async with asyncio.timeout(POSITIONS_S):
            for partition, where in assigned.items():
                done = all_done[where] = offsets.done(where, await consumer.position(where))
                lag = records_behind(consumer.highwater(where) or 0, done, is_transactional=True)
                LAG.labels(str(partition)).set(lag)
                _told.add(partition)
    return all_done

"""What a batch is made of when there is more than fits."""

from collections.abc import Mapping
from typing import Any, cast

import pytest
from aiokafka import TopicPartition

from services.composer.service import _fetched

ONE, TWO, THREE = (TopicPartition("commands", partition) for partition in range(3))


class FromOneFirst:
    """A consumer that gives what it has as the real one does: all of a partition before the next one."""

    def __init__(self, waiting: Mapping[TopicPartition, int]) -> None:
        self._waiting = dict(waiting)

    def assignment(self) -> set[TopicPartition]:
        return set(self._waiting)

    async def getmany(self, *only: TopicPartition, timeout_ms: int, max_records: int) -> Mapping[TopicPartition, Any]:
        found: dict[TopicPartition, list[object]] = {}
        for where, number in self._waiting.items():
            if where in (only or self._waiting) and (taken := min(number, max_records)):
                found[where] = [object()] * taken
                self._waiting[where] -= taken
                max_records -= taken
        return found


@pytest.mark.parametrize(
    ("waiting", "batch"),
    [
        ({ONE: 3, TWO: 1, THREE: 0}, {ONE: 3, TWO: 1}),
        ({ONE: 100_000, TWO: 1, THREE: 2}, {ONE: 9, TWO: 1, THREE: 2}),
        ({ONE: 100_000, TWO: 100_000, THREE: 1}, {ONE: 9, TWO: 3, THREE: 1}),
        ({ONE: 100_000, TWO: 0, THREE: 0}, {ONE: 9}),
    ],
)
async def test_beside_a_backlog_every_other_partition_has_its_share_of_the_batch(
    waiting: dict[TopicPartition, int], batch: dict[TopicPartition, int]
) -> None:
    batches = await _fetched(cast("Any", FromOneFirst(waiting)), 9)
    assert {where: len(records) for where, records in batches.items()} == batch


async def test_a_batch_of_one_record_leaves_nobody_out() -> None:
    batches = await _fetched(cast("Any", FromOneFirst({ONE: 5, TWO: 5, THREE: 5})), 1)
    assert {where: len(records) for where, records in batches.items()} == {ONE: 1, TWO: 1, THREE: 1}

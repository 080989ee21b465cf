"""Claims that are doubted: records that do not go on from the cursor."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, cast
from uuid import UUID

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError

from services.composer import claims
from services.composer.claims import Claims
from services.composer.metrics import REWOUND
from services.composer.store import Claim, Cursor
from services.kit.health import Health

WHERE = TopicPartition("commands", 0)
TOPIC = UUID(int=7)


class Fetched(NamedTuple):
    offset: int


class Consumer:
    """A partition that begins and ends somewhere, and what was asked of it."""

    def __init__(self, start: int = 0, end: int = 100, committed: int | None = None) -> None:
        self.start, self.end, self._committed = start, end, committed
        self.sought: list[int] = []
        self.paused = False

    def assignment(self) -> set[TopicPartition]:
        return {WHERE}

    async def beginning_offsets(self, _: Iterable[TopicPartition]) -> Mapping[TopicPartition, int]:
        return {WHERE: self.start}

    async def end_offsets(self, _: Iterable[TopicPartition]) -> Mapping[TopicPartition, int]:
        return {WHERE: self.end}

    async def committed(self, _: TopicPartition) -> int | None:
        if self._committed == -1:
            raise KafkaConnectionError
        return self._committed

    def seek(self, _: TopicPartition, offset: int) -> None:
        self.sought.append(offset)

    def pause(self, _: TopicPartition) -> None:
        self.paused = True

    def resume(self, _: TopicPartition) -> None:
        self.paused = False

    async def topic_id(self, _: str) -> UUID:
        return TOPIC


async def claimed(monkeypatch: pytest.MonkeyPatch, consumer: Consumer, next_offset: int) -> Claims:
    """Return the claims after the partition was claimed, with the cursor at `next_offset`."""

    async def claim_partition(*_: object) -> Cursor:
        return Cursor(Claim(0, 1, next_offset), TOPIC)

    monkeypatch.setattr(claims, "claim_partition", claim_partition)
    made = Claims(cast("Any", consumer), "commands", "me", cast("Any", consumer), Health())
    await made.claim(cast("Any", None), [WHERE])
    return made


async def doubted(monkeypatch: pytest.MonkeyPatch, consumer: Consumer, fetched: int) -> bool:
    held = await claimed(monkeypatch, consumer, 10)
    await held.doubt({WHERE: cast("Any", [Fetched(fetched)])})
    return held.get(0) is None


async def test_records_that_go_on_from_the_cursor_are_not_doubted(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not await doubted(monkeypatch, Consumer(), fetched=10)


async def test_a_gap_that_a_marker_left_is_not_doubted(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not await doubted(monkeypatch, Consumer(start=5), fetched=12)


async def test_a_gap_up_to_where_the_topic_begins_now_is_doubted(monkeypatch: pytest.MonkeyPatch) -> None:
    consumer = Consumer()
    held = await claimed(monkeypatch, consumer, 10)
    consumer.start = 12
    await held.doubt({WHERE: cast("Any", [Fetched(12)])})
    assert held.get(0) is None


async def test_records_from_before_the_cursor_are_doubted(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await doubted(monkeypatch, Consumer(), fetched=0)


async def test_a_stopped_partition_is_looked_at_again_and_goes_on_when_it_can(monkeypatch: pytest.MonkeyPatch) -> None:
    # Given
    consumer = Consumer(start=50)
    held = await claimed(monkeypatch, consumer, 10)
    assert (consumer.paused, held.missing()) == (True, [])
    # When
    monkeypatch.setattr(claims, "LOOK_AGAIN_S", 0.0)
    consumer.start = 0
    await held.claim(cast("Any", None), held.missing())
    # Then
    assert (consumer.paused, consumer.sought) == (False, [10])


@pytest.mark.parametrize(("committed", "told"), [(None, 0), (10, 0), (4, 0), (25, 15), (-1, 0)])
async def test_a_database_that_is_older_than_what_kafka_was_told_is_counted(
    monkeypatch: pytest.MonkeyPatch, committed: int | None, told: int
) -> None:
    before = REWOUND._value.get()
    await claimed(monkeypatch, Consumer(committed=committed), 10)
    assert REWOUND._value.get() - before == told

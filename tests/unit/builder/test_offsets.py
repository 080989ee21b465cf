import pytest
from aiokafka import TopicPartition

from services.builder.offsets import Offsets

HERE = TopicPartition("events", 0)
THERE = TopicPartition("events", 1)


@pytest.fixture
def offsets() -> Offsets:
    return Offsets()


def test_nothing_read_is_nothing_to_commit(offsets: Offsets) -> None:
    assert offsets.news({HERE}) == {}


def test_skipped_records_are_committed(offsets: Offsets) -> None:
    offsets.skipped(HERE, 4)
    assert offsets.news({HERE}) == {HERE: 5}


def test_a_record_is_not_committed_before_its_report_is_acknowledged(offsets: Offsets) -> None:
    # Given a build under way, and one behind it that has been reported
    offsets.opened(HERE, 4)
    offsets.opened(HERE, 5)
    offsets.skipped(HERE, 6)
    offsets.closed(HERE, 5)
    assert offsets.news({HERE}) == {HERE: 4}
    # When the first one is reported too
    offsets.closed(HERE, 4)
    # Then all three are committed, over the gap that was there
    assert offsets.news({HERE}) == {HERE: 7}


def test_what_was_committed_is_no_news(offsets: Offsets) -> None:
    offsets.skipped(HERE, 4)
    offsets.committed(offsets.news({HERE}))
    assert offsets.news({HERE}) == {}
    offsets.skipped(HERE, 5)
    assert offsets.news({HERE}) == {HERE: 6}


def test_partitions_are_committed_apart_and_only_while_they_are_assigned(offsets: Offsets) -> None:
    offsets.opened(HERE, 4)
    offsets.skipped(THERE, 9)
    assert offsets.news({HERE, THERE}) == {HERE: 4, THERE: 10}
    assert offsets.news({THERE}) == {THERE: 10}


def test_what_is_done_with_ends_before_the_oldest_build_under_way(offsets: Offsets) -> None:
    assert offsets.done(HERE, 9) == 9
    offsets.opened(HERE, 5)
    offsets.opened(HERE, 7)
    offsets.closed(HERE, 7)
    assert offsets.done(HERE, 9) == 5
    offsets.closed(HERE, 5)
    assert offsets.done(HERE, 9) == 9

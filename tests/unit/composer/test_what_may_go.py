"""Which of the oldest events may go."""

from datetime import UTC, datetime, timedelta

import pytest

from events.envelope import Position
from services.composer.retention.what_may_go import Bounds, Candidate, Hold, Verdict, may_go

NOW = datetime(2026, 3, 1, tzinfo=UTC)
OLD, YOUNG = NOW - timedelta(days=1), NOW
EVERYWHERE = {0: Position(10**9, 0)}


def event(sequence: int, *, is_result: bool = True, partition: int = 0, decided_at: datetime | None = OLD) -> Candidate:
    return Candidate(sequence, partition, Position(sequence, 0), is_result, decided_at)


def bounds(published: dict[int, Position] | None = None, told_up_to: int | None = None) -> Bounds:
    return Bounds(NOW, EVERYWHERE if published is None else published, told_up_to)


def test_all_that_is_old_published_and_told_goes() -> None:
    assert may_go([event(1), event(2)], bounds(told_up_to=2)) == Verdict(2, None)


def test_of_nothing_nothing_goes() -> None:
    assert may_go([], bounds()) == Verdict(0, None)


def test_what_is_young_stays_also_when_something_behind_it_is_old() -> None:
    assert may_go([event(1), event(2, decided_at=YOUNG), event(3)], bounds()) == Verdict(1, Hold.YOUNG)


def test_what_was_decided_at_the_very_bound_stays() -> None:
    assert may_go([event(1, decided_at=NOW)], bounds()) == Verdict(0, Hold.YOUNG)


def test_a_command_of_which_the_inbox_does_not_know_when_it_was_decided_stays() -> None:
    assert may_go([event(1, decided_at=None)], bounds()) == Verdict(0, Hold.UNKNOWN)


@pytest.mark.parametrize(
    ("published", "count"), [({}, 0), ({1: Position(9, 9)}, 0), ({0: Position(1, 0)}, 1), ({0: Position(2, 0)}, 2)]
)
def test_what_is_behind_the_last_published_event_of_its_partition_stays(
    published: dict[int, Position], count: int
) -> None:
    verdict = may_go([event(1), event(2), event(3)], bounds(published))
    assert verdict == Verdict(count, Hold.UNPUBLISHED)


def test_each_event_is_held_against_its_own_partition() -> None:
    published = {0: Position(1, 0), 1: Position(2, 0)}
    assert may_go([event(1), event(2, partition=1), event(3)], bounds(published)) == Verdict(2, Hold.UNPUBLISHED)


def test_what_a_webhook_was_not_told_of_stays() -> None:
    assert may_go([event(1), event(2), event(3)], bounds(told_up_to=2)) == Verdict(2, Hold.WEBHOOK)
    assert may_go([event(1)], bounds(told_up_to=0)) == Verdict(0, Hold.WEBHOOK)


def test_a_command_goes_whole_or_not_at_all() -> None:
    two_of_three = [event(1), event(2, is_result=False), event(3, is_result=False)]
    assert may_go(two_of_three, bounds()) == Verdict(1, None)
    assert may_go([*two_of_three, event(4)], bounds(told_up_to=3)) == Verdict(1, Hold.WEBHOOK)
    assert may_go([*two_of_three, event(4)], bounds()) == Verdict(4, None)

"""For how long events have been waiting, told without anybody's clock but our own."""

from events.envelope import Position
from services.kit.lag import NOTHING
from services.relay.backlog import MOST_SIGHTINGS, Backlog


def at(offset: int) -> Position:
    return Position(offset, 0)


def test_a_log_that_is_published_to_its_end_has_no_age() -> None:
    backlog = Backlog()
    assert [backlog.age_s(now, at(5), at(5)) for now in (0.0, 9.0)] == [0.0, 0.0]
    assert backlog.age_s(10.0, NOTHING, NOTHING) == 0.0


def test_what_stays_unpublished_grows_old_from_when_it_was_first_seen() -> None:
    backlog = Backlog()
    assert [backlog.age_s(now, at(5), NOTHING) for now in (100.0, 102.0, 130.0)] == [0.0, 2.0, 30.0]


def test_a_relay_that_keeps_up_a_look_behind_is_never_older_than_that() -> None:
    backlog = Backlog()
    ages = [backlog.age_s(2.0 * look, at(10 * look + 10), at(10 * look)) for look in range(1, 50)]
    assert max(ages) == 0.0


def test_what_is_published_takes_its_age_along() -> None:
    backlog = Backlog()
    backlog.age_s(0.0, at(5), NOTHING)
    backlog.age_s(10.0, at(8), NOTHING)
    assert backlog.age_s(20.0, at(8), at(5)) == 10.0
    assert backlog.age_s(21.0, at(8), at(8)) == 0.0


def test_a_relay_that_stands_still_for_long_forgets_no_age_and_keeps_little() -> None:
    backlog = Backlog()
    looks = 10 * MOST_SIGHTINGS
    for look in range(looks):
        assert backlog.age_s(float(look), at(look), NOTHING) == look
    assert len(backlog._sightings) <= MOST_SIGHTINGS
    # What is thinned out looks older than it is, never younger.
    assert backlog.age_s(float(looks), at(looks), at(looks // 2)) >= looks // 2 - 1

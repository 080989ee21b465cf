"""When work counts as held up."""

import pytest

from services.kit.progress import OwnTime, Place, Progress, Seen

HERE, THERE = Place("commands", 1), Place("commands", 2)


def held(progress: Progress, place: Place = HERE) -> tuple[float, float]:
    """Return for how long a place has been still, and how much of that counts."""
    return next((each.still_s, each.counted_s) for each in progress.places if each.place == place)


def after(*steps: tuple[float, Seen], is_outage: bool = False) -> Progress:
    progress = Progress()
    for passed_s, seen in steps:
        progress.see(passed_s, {HERE: seen}, is_outage=is_outage)
    return progress


def test_work_that_does_not_move_is_held_up_for_the_time_since_it_was_first_seen() -> None:
    assert held(after((3, Seen(5, 7)), (3, Seen(5, 7)), (3, Seen(9, 7)))) == (6, 6)


@pytest.mark.parametrize(
    ("told", "last"),
    [
        ("the position moved", Seen(5, 8)),
        ("the position went back, as after a backup was restored", Seen(5, 2)),
        ("nothing waits any more", Seen(0, 7)),
    ],
)
def test_what_gets_on_is_not_held_up(told: str, last: Seen) -> None:
    assert held(after((3, Seen(5, 7)), (3, Seen(5, 7)), (3, last))) == (0, 0), told


def test_to_be_idle_for_long_is_no_part_of_the_wait_of_what_comes_then() -> None:
    assert held(after((3, Seen(0, 7)), (500, Seen(0, 7)), (3, Seen(1, 7)))) == (0, 0)


def test_an_outage_does_not_count_and_is_told_all_the_same() -> None:
    progress = after((3, Seen(5, 7)), (3, Seen(5, 7)))
    progress.see(3, {HERE: Seen(5, 7)}, is_outage=True)
    assert held(progress) == (6, 0)


def test_after_an_outage_there_is_the_whole_time_to_get_on() -> None:
    progress = after((3, Seen(5, 7)), (100, Seen(5, 7)), is_outage=True)
    progress.see(3, {HERE: Seen(5, 7)}, is_outage=False)
    assert held(progress) == (103, 3)


def test_a_look_that_fails_is_an_outage_of_all_that_was_seen_before() -> None:
    progress = after((3, Seen(5, 7)), (3, Seen(5, 7)))
    progress.see_nothing(3)
    progress.see_nothing(3)
    assert held(progress) == (9, 0)


def test_nothing_is_known_when_the_first_look_fails() -> None:
    progress = Progress()
    progress.see_nothing(3)
    assert progress.places == []


def test_each_place_is_judged_by_itself() -> None:
    progress = Progress()
    for position in range(3):
        progress.see(3, {HERE: Seen(5, 7), THERE: Seen(5, position)}, is_outage=False)
    assert (held(progress, HERE), held(progress, THERE)) == ((6, 6), (0, 0))


def test_a_place_that_was_given_up_or_stopped_on_purpose_is_forgotten_and_begins_anew() -> None:
    progress = after((3, Seen(5, 7)), (3, Seen(5, 7)))
    progress.see(3, {}, is_outage=False)
    assert progress.places == []
    progress.see(3, {HERE: Seen(5, 7)}, is_outage=False)
    assert held(progress) == (0, 0)


def test_a_pause_of_the_process_is_not_time_that_it_lived_through() -> None:
    own_time = OwnTime(100.0, most_s=6.0)
    assert [own_time.passed(now) for now in (103.0, 203.0, 206.0, 205.0)] == [3.0, 6.0, 3.0, 0.0]

"""Nothing is called overdue before all that was published by then is known to be folded."""

from services.monitor.progress import Progress, Source

COMMANDS, EVENTS = Source("commands", 0), Source("events", 0)


def ends(commands: int, events: int) -> dict[Source, int]:
    return {COMMANDS: commands, EVENTS: events}


def test_nothing_is_complete_at_the_first_look() -> None:
    progress = Progress()
    progress.measure(1_000, ends(0, 0), ends(0, 0))
    assert progress.complete_until == {}


def test_empty_partitions_are_complete_at_the_second_look() -> None:
    progress = Progress()
    progress.measure(1_000, ends(0, 0), ends(0, 0))
    progress.measure(2_000, ends(0, 0), ends(0, 0))
    assert progress.complete_until == {0: 1_000}


def test_what_was_there_at_a_look_and_was_folded_by_the_next_is_complete_also_under_load() -> None:
    progress = Progress()
    progress.measure(1_000, ends(5, 5), ends(0, 0))
    for offset in range(5):
        progress.note(COMMANDS, offset)
        progress.note(EVENTS, offset)
    progress.measure(2_000, ends(50, 50), ends(7, 7))
    assert progress.complete_until == {0: 1_000}


def test_what_was_fetched_and_not_folded_is_not_complete() -> None:
    progress = Progress()
    progress.measure(1_000, ends(5, 0), ends(5, 0))
    progress.note(COMMANDS, 2)
    progress.measure(2_000, ends(5, 0), ends(5, 0))
    assert progress.complete_until == {}
    progress.measure(2_900, ends(5, 0), ends(5, 0))
    assert progress.complete_until == {}  # what was fetched may wait to be folded
    progress.measure(3_000, ends(5, 0), ends(5, 0))
    assert progress.complete_until == {0: 2_900}  # nothing came since: behind the third there are but markers


def test_a_marker_behind_the_last_record_does_not_keep_it_waiting() -> None:
    progress = Progress()
    progress.note(EVENTS, 3)
    for moment in (1_000, 2_000):
        progress.measure(moment, ends(0, 5), ends(0, 5))
    assert progress.complete_until == {0: 1_000}
    assert progress.behind(EVENTS) == 0


def test_one_topic_that_is_behind_holds_up_its_partition() -> None:
    progress = Progress()
    for moment in (1_000, 2_000, 3_000):
        progress.measure(moment, ends(0, 9), ends(0, 4))
    assert progress.complete_until == {}
    assert progress.behind(EVENTS) == 5


def test_after_partitions_changed_hands_nothing_is_complete() -> None:
    progress = Progress()
    for moment in (1_000, 2_000):
        progress.measure(moment, ends(0, 0), ends(0, 0))
    progress.forget()
    progress.measure(3_000, ends(0, 0), ends(0, 0))
    assert progress.complete_until == {}


def test_what_is_new_is_waited_for_however_long_nothing_came_before() -> None:
    progress = Progress()
    for moment in (1_000, 2_000, 3_000):
        progress.measure(moment, ends(0, 5), ends(0, 5))
    progress.measure(4_000, ends(0, 6), ends(0, 6))
    progress.measure(4_100, ends(0, 6), ends(0, 6))
    assert progress.complete_until == {0: 3_000}

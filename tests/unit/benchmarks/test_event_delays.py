"""How long after the commit an event came to whom."""

import pytest

from benchmarks.events import FIRST, KAFKA, LAST, Watch
from benchmarks.sse_readers import Reader


def reader(**seen: float) -> Reader:
    made = Reader(b"")
    made.seen = {int(place.removeprefix("n")): moment for place, moment in seen.items()}
    return made


def test_a_delay_counts_from_the_commit_to_the_consumer_and_to_the_first_and_the_last_reader() -> None:
    # Given
    watch = Watch({(0, 7): 1.0}, {(0, 7): 1.004}, {(0, 7): 3})
    # When
    delays = watch.delays([reader(n3=1.010), reader(n3=1.030)])
    # Then
    assert [delays[who][0] for who in (KAFKA, FIRST, LAST)] == pytest.approx([4.0, 10.0, 30.0])


def test_an_event_that_came_before_the_notice_of_its_commit_was_not_late() -> None:
    # Given
    watch = Watch({(0, 7): 1.0}, {(0, 7): 0.999}, {(0, 7): 3})
    # When / Then
    assert watch.delays([reader(n3=0.9995)])[KAFKA] == [0.0]


def test_it_is_over_when_everything_that_was_committed_came_to_everybody() -> None:
    # Given
    watch = Watch({(0, 7): 1.0, (1, 2): 1.0}, {(0, 7): 1.1}, {(0, 7): 3})
    # When / Then
    assert not watch.is_all_there([reader(n3=1.0, n4=1.0)])
    watch.consumed[1, 2], watch.sequences[1, 2] = 1.2, 4
    assert not watch.is_all_there([reader(n3=1.0, n4=1.0), reader(n3=1.0)])
    assert watch.is_all_there([reader(n3=1.0, n4=1.0)])


def test_a_reader_finds_ids_in_lines_that_come_in_pieces_and_leaves_data_alone() -> None:
    # Given
    made = Reader(b"")
    # When
    for piece in (b"event: X\r\ndata: {}\nid: 4", b"1\n\ndata: id: 9\n", b"id: 42\n", b"id: 43"):
        made.data_received(piece)
    # Then
    assert sorted(made.seen) == [41, 42]

"""Which activities are kept, saved and restored."""

import zlib

from events.commands import COMMANDS
from events.refusals import Code
from services.kit.latency import BUCKETS
from services.monitor.activity import (
    MAX_OPEN,
    Activity,
    Announcement,
    Minute,
    Open,
    Tally,
    minute_to_bytes,
    to_bytes,
)
from services.monitor.app import MAX_SAVED_BYTES
from services.monitor.ledger import Ledger, Place

LAB, SHOP = Place(0, "lab"), Place(1, "shop")


def written(ledger: Ledger) -> dict[bytes, bytes | None]:
    """Return all that a save writes."""
    writings = ledger.writings(ledger.take_unsaved())
    return {key: value for writing in writings for values in writing[1:] for key, value in values.items()}


def restored(ledger: Ledger, saved: dict[bytes, bytes | None]) -> None:
    ledger.restore({key: raw for key, raw in saved.items() if raw})


def tally() -> Minute:
    return Minute(5, {"StepRequested": Tally(2, {"step_exists": 1}, {3: 1, 90: 1})})


def test_what_changed_is_saved_once_and_restored_as_it_was() -> None:
    ledger = Ledger()
    ledger.at(LAB).commands = 7
    ledger.at(LAB).minutes[29] = tally()
    ledger.changed(LAB, {29})
    ledger.at(SHOP)
    saved = written(ledger)
    assert sorted(saved) == [b"0/lab", b"0/lab/29", b"1/shop"]
    assert written(ledger) == {}

    other = Ledger()
    restored(other, saved)
    assert other.activities == ledger.activities
    assert other.unsaved == {}
    assert other.untold == {LAB: {29}, SHOP: set()}


def test_a_save_writes_only_the_minutes_that_have_changed() -> None:
    ledger = Ledger()
    ledger.at(LAB).minutes = {minute: tally() for minute in range(100)}
    ledger.changed(LAB, {99})
    (writing,) = ledger.writings(ledger.take_unsaved())
    assert (set(writing.minutes), set(writing.head), set(writing.dropped)) == ({b"0/lab/99"}, {b"0/lab"}, set())


def test_a_minute_that_is_let_go_is_dropped_after_the_rest_is_written() -> None:
    ledger = Ledger()
    ledger.at(LAB)
    ledger.changed(LAB, {3})
    (writing,) = ledger.writings(ledger.take_unsaved())
    assert (writing.minutes, writing.dropped) == ({}, {b"0/lab/3": None})


def test_a_minute_whose_environment_was_not_saved_yet_is_restored() -> None:
    ledger = Ledger()
    ledger.restore({b"0/lab/29": minute_to_bytes(tally())})
    assert ledger.activities == {LAB: Activity(minutes={29: tally()})}


def test_an_environment_and_a_minute_can_never_come_near_the_largest_record() -> None:
    # Given all of it that is known one by one, with the longest names
    command = Open("0" * 36, "EnvironmentVariableDeleteRequested", 10**15, is_overdue=True)
    outbox = [Announcement(10**12, command, 10**15, 10**15)] * 2 * MAX_OPEN
    activity = Activity(open=dict.fromkeys(range(10**12, 10**12 + MAX_OPEN), command), outbox=outbox)
    codes = {code.value: 10**9 for code in Code}
    tallies = {name: Tally(10**9, codes, dict.fromkeys(range(BUCKETS), 10**9)) for name in COMMANDS}
    # Then
    assert len(zlib.decompress(to_bytes(activity))) < MAX_SAVED_BYTES / 4
    assert len(zlib.decompress(minute_to_bytes(Minute(10**12, tallies)))) < MAX_SAVED_BYTES / 4


def test_what_was_taken_before_the_partitions_changed_hands_is_not_put_back() -> None:
    # Given changes that are being saved and told
    ledger = Ledger()
    ledger.at(LAB)
    saving, telling = ledger.take_unsaved(), ledger.take_untold()
    # When the partitions are somebody else's, and then it fails
    ledger.forget()
    ledger.not_saved(saving, saving.changes)
    ledger.not_told(telling, telling.changes)
    ledger.changed(LAB)
    # Then nothing is deleted of which another monitor writes now
    assert written(ledger) == {}
    assert ledger.take_untold().changes == {}


def test_what_could_not_be_saved_is_saved_the_next_time_with_what_changed_since() -> None:
    ledger = Ledger()
    ledger.at(LAB).minutes = {1: tally(), 2: tally()}
    ledger.changed(LAB, {1})
    taken = ledger.take_unsaved()
    ledger.changed(LAB, {2})
    ledger.not_saved(taken, [LAB])
    assert sorted(written(ledger)) == [b"0/lab", b"0/lab/1", b"0/lab/2"]


def test_what_cannot_be_read_is_begun_anew() -> None:
    ledger = Ledger()
    ledger.restore({b"0/lab": b"junk", b"x": b"junk"})
    assert ledger.activities == {}


def test_of_too_many_environments_the_quietest_of_that_partition_is_forgotten() -> None:
    ledger = Ledger(limit=2)
    ledger.at(Place(1, "elsewhere"))
    for number in range(3):
        ledger.at(Place(0, f"e{number}")).newest_ms = 10 - number
        ledger.at(Place(0, f"e{number}")).minutes = {7: tally()}
        ledger.at(Place(0, ""))
    assert sorted(ledger.activities) == [Place(0, ""), Place(0, "e0"), Place(0, "e2"), Place(1, "elsewhere")]
    saved = written(ledger)
    assert (saved[b"0/e1"], saved[b"0/e1/7"]) == (None, None)


def test_a_key_names_its_place() -> None:
    assert [Place.of(place.key()) for place in (LAB, Place(12, ""))] == [(LAB, None), (Place(12, ""), None)]
    assert Place.of(LAB.key(29)) == (LAB, 29)


def test_the_last_result_of_each_partition_is_known() -> None:
    ledger = Ledger()
    ledger.at(LAB).decided = 4
    ledger.at(Place(0, "other")).decided = 9
    assert ledger.published() == {0: 9}


def test_after_it_forgot_nothing_is_left_to_save_or_to_tell() -> None:
    ledger = Ledger()
    ledger.at(LAB)
    ledger.forget()
    assert (ledger.activities, ledger.unsaved, ledger.untold) == ({}, {}, {})

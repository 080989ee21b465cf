"""Which activities are kept, saved and restored."""

from services.monitor.ledger import Ledger, Place

LAB, SHOP = Place(0, "lab"), Place(1, "shop")


def test_what_changed_is_saved_once_and_restored_as_it_was() -> None:
    ledger = Ledger()
    ledger.at(LAB).commands = 7
    ledger.at(SHOP)
    places, changed = ledger.take_unsaved()
    assert places == {LAB, SHOP}
    assert ledger.take_unsaved() == (set(), {})

    other = Ledger()
    other.restore({key: raw for key, raw in changed.items() if raw})
    assert other.activities == ledger.activities
    assert other.unsaved == set()
    assert other.untold == {LAB, SHOP}


def test_what_cannot_be_read_is_begun_anew() -> None:
    ledger = Ledger()
    ledger.restore({b"0/lab": b"junk", b"x": b"junk"})
    assert ledger.activities == {}


def test_of_too_many_environments_the_quietest_of_that_partition_is_forgotten() -> None:
    ledger = Ledger(limit=2)
    ledger.at(Place(1, "elsewhere"))
    for number in range(3):
        ledger.at(Place(0, f"e{number}")).newest_ms = 10 - number
        ledger.at(Place(0, ""))
    assert sorted(ledger.activities) == [Place(0, ""), Place(0, "e0"), Place(0, "e2"), Place(1, "elsewhere")]
    _, changed = ledger.take_unsaved()
    assert changed[b"0/e1"] is None


def test_a_key_names_its_place() -> None:
    assert [Place.of(place.key()) for place in (LAB, Place(12, ""))] == [LAB, Place(12, "")]


def test_the_last_result_of_each_partition_is_known() -> None:
    ledger = Ledger()
    ledger.at(LAB).decided = 4
    ledger.at(Place(0, "other")).decided = 9
    assert ledger.published() == {0: 9}


def test_after_it_forgot_nothing_is_left_to_save_or_to_tell() -> None:
    ledger = Ledger()
    ledger.at(LAB)
    ledger.forget()
    assert (ledger.activities, ledger.unsaved, ledger.untold) == ({}, set(), set())

"""What is told of the ledger, also when the partitions change hands in the middle of it."""

from collections.abc import Callable
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.monitor import telling as module
from services.monitor.activity import Announcement, Minute, Open
from services.monitor.ledger import Changes, Ledger, Place
from services.monitor.telling import Telling, chunks

PLACES = [Place(0, name) for name in ("a", "b", "c", "d")]


class Connection:
    """Notes which statements are run, and does something at each."""

    def __init__(self, on_statement: Callable[[], None] = lambda: None) -> None:
        self.statements: list[str] = []
        self.on_statement = on_statement

    async def execute(self, sql: str, *_: Any) -> None:
        self.statements.append(next(line for line in sql.splitlines() if line and not line.startswith("--")))
        self.on_statement()


class Stream:
    """Notes what is told, and does something at each."""

    def __init__(self, on_told: Callable[[], None] = lambda: None) -> None:
        self.told = 0
        self.on_told = on_told

    async def tell(self, *_: Any) -> None:
        self.told += 1
        self.on_told()


def telling(ledger: Ledger, stream: Stream | None = None) -> Telling:
    return Telling(ledger, cast("Any", stream or Stream()), 30.0, partitions=1)


def filled() -> Ledger:
    ledger = Ledger()
    for place in PLACES:
        ledger.at(place)
    ledger.take_unsaved()
    return ledger


async def test_numbers_of_which_another_monitor_writes_now_are_not_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    # Given
    monkeypatch.setattr(module, "CHUNK", 2)
    ledger = filled()
    # When the partitions change hands while the first of them are written
    connection = Connection(ledger.forget)
    await telling(ledger).tell(cast("Any", connection), {0: 5})
    # Then no other is touched, and nothing is called complete
    assert connection.statements == ["INSERT INTO activity (environment, partition, document)"]
    assert ledger.untold == {}


async def test_what_could_not_be_told_is_told_the_next_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHUNK", 3)
    ledger = filled()
    connection = Connection()

    def fail_at_the_second() -> None:
        if len(connection.statements) == 2:
            raise OSError("no route")

    connection.on_statement = fail_at_the_second
    with pytest.raises(OSError, match="no route"):
        await telling(ledger).tell(cast("Any", connection), {})
    assert sorted(ledger.untold) == PLACES[2:]


async def test_only_the_minutes_that_changed_are_written(monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = filled()
    ledger.take_untold()
    ledger.at(PLACES[0]).minutes = {each: Minute() for each in (1, 2, 3)}
    ledger.changed(PLACES[0], {3})
    written: list[Any] = []
    connection = Connection()

    async def execute(sql: str, *given: Any) -> None:
        if "INSERT INTO activity_minute" in sql:
            written.extend(given)

    monkeypatch.setattr(connection, "execute", execute)
    await telling(ledger).tell(cast("Any", connection), {})
    assert [3] in written


def announcement() -> Announcement:
    return Announcement(0, Open("c-1", "StepRequested", 0, is_overdue=True), 1)


async def test_a_notice_that_is_told_while_the_partitions_change_hands_is_the_last_and_changes_nothing() -> None:
    # Given two environments with notices
    ledger = filled()
    for place in PLACES[:2]:
        ledger.at(place).outbox.append(announcement())
    # When
    stream = Stream(ledger.forget)
    await telling(ledger, stream).announce(())
    # Then
    assert (stream.told, ledger.unsaved, ledger.untold) == (1, {}, {})


async def test_a_notice_is_not_told_before_its_mark_is_saved() -> None:
    ledger = filled()
    for place in PLACES[:2]:
        ledger.at(place).outbox.append(announcement())
    stream = Stream()
    await telling(ledger, stream).announce({PLACES[0]})
    assert stream.told == 1
    assert [len(ledger.at(place).outbox) for place in PLACES[:2]] == [1, 0]


@given(st.dictionaries(st.sampled_from(PLACES), st.sets(st.integers(0, 50))), st.integers(2, 9))
def test_changes_are_told_in_small_pieces_that_are_all_of_them(changes: Changes, size: int) -> None:
    pieces = list(chunks(changes, size))
    assert all(sum(1 + len(minutes) for minutes in piece.values()) <= size for piece in pieces)
    together: Changes = {}
    for piece in pieces:
        for place, minutes in piece.items():
            together.setdefault(place, set()).update(minutes)
    assert together == changes

"""What is acknowledged, and when no more is read."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from services.kit.settings import KafkaSettings, MonitorSettings
from services.monitor import stream as module
from services.monitor.intake import Taken
from services.monitor.ledger import Place, Writing
from services.monitor.stream import Stream

LAB, SHOP = Place(0, "lab"), Place(0, "shop")


class Table:
    """A table whose changelog refuses some keys, and tells the order in which it takes the others."""

    def __init__(self) -> None:
        self.data: dict[bytes, bytes] = {}
        self.refused: set[bytes] = set()
        self.written: list[bytes] = []
        self.on_write: Callable[[], None] = lambda: None

    def send_changelog(self, _: int, key: bytes, *__: Any) -> Awaitable[None]:
        async def send() -> None:
            if key in self.refused:
                raise ValueError("too large")
            self.written.append(key)
            self.on_write()

        return send()


class Event:
    """A record as Faust hands it over."""

    def __init__(self, environment: str) -> None:
        self.is_acknowledged = False
        self.message = SimpleNamespace(
            topic="pipeloom.commands", partition=0, offset=0, headers=(), value=environment.encode(), timestamp=0
        )

    def ack(self) -> None:
        self.is_acknowledged = True


class Events:
    """What an agent reads."""

    def __init__(self, *events: Event) -> None:
        self._events = events

    def noack(self) -> "Events":
        return self

    async def events(self) -> AsyncIterator[Event]:
        for event in self._events:
            yield event


class Watched:
    """A stream, what it has taken, and its table."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.table = Table()
        self.stream = Stream(
            KafkaSettings(topic_prefix="pipeloom"),
            MonitorSettings(),
            4,
            take=self._take,
            lost=lambda: None,
            restored=lambda _: None,
        )
        cast("Any", self.stream)._table = self.table

    def _take(self, record: Taken) -> Place:
        name = (record.value or b"").decode()
        self.taken.append(name)
        return Place(0, name)

    async def read(self, *events: Event) -> None:
        await self.stream._fold(Events(*events))


def writing(place: Place) -> Writing:
    return Writing(place, {place.key(1): b"minute"}, {place.key(): b"head"}, {place.key(0): None})


@pytest.fixture
def watched() -> Watched:
    return Watched()


async def test_an_environment_that_cannot_be_saved_holds_up_no_other(watched: Watched) -> None:
    # Given
    lab, shop = Event("lab"), Event("shop")
    await watched.read(lab, shop)
    watched.table.refused = {b"0/lab/1"}
    # When
    failed = await watched.stream.save([writing(LAB), writing(SHOP)])
    # Then the other one is saved and acknowledged, and of this one nothing that says that the minute is told
    assert set(failed) == {LAB}
    assert watched.table.written == [b"0/shop/1", b"0/shop", b"0/shop/0"]
    assert (lab.is_acknowledged, shop.is_acknowledged) == (False, True)
    # And it is acknowledged when it could be saved
    watched.table.refused = set()
    assert await watched.stream.save([writing(LAB)]) == {}
    assert lab.is_acknowledged


async def test_no_more_is_read_while_too_much_waits_for_a_save(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_HELD", 2)
    reading = asyncio.ensure_future(watched.read(*[Event(name) for name in "abcde"]))
    await asyncio.sleep(0)
    assert (watched.taken, reading.done()) == (["a", "b"], False)

    await watched.stream.save([])
    await asyncio.sleep(0)
    assert watched.taken == ["a", "b", "c", "d"]

    await watched.stream.save([])
    await reading
    assert watched.taken == ["a", "b", "c", "d", "e"]


async def test_a_record_that_waits_when_the_partitions_change_hands_is_not_taken(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_HELD", 1)
    reading = asyncio.ensure_future(watched.read(*[Event(name) for name in "ab"]))
    await asyncio.sleep(0)
    await watched.stream._on_revoked()
    await reading
    assert watched.taken == ["a"]


async def test_when_the_partitions_change_hands_in_a_save_nothing_more_is_written_or_acknowledged(
    watched: Watched,
) -> None:
    event = Event("lab")
    await watched.read(event)

    def revoke() -> None:
        watched.stream._generation += 1

    watched.table.on_write = revoke
    await watched.stream.save([writing(LAB)])
    assert watched.table.written == [b"0/lab/1"]
    assert not event.is_acknowledged

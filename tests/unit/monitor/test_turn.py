"""A turn of the monitor: what fails in it keeps nothing else from its part."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka.errors import KafkaError

from services.kit.health import Health
from services.kit.settings import Settings
from services.monitor import monitor as module
from services.monitor.ledger import Place
from services.monitor.measure import Behind
from services.monitor.monitor import POSTGRES_PART, STREAM_PART, Monitor


class Servers:
    """The stream, the meter and the telling of a monitor; those that are in `broken` raise."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.parts: list[str] = []
        self.broken: dict[str, Exception] = {}
        self.failed: dict[Place, BaseException] = {}
        self.is_rebalancing = False
        self.has_notices = False

    def _do(self, what: str) -> None:
        if what in self.broken:
            raise self.broken[what]
        self.done.append(what)

    async def ends(self) -> dict[Any, int]:
        self._do("ends")
        return {object(): 1}

    async def fetched(self) -> dict[Any, int]:
        return {}

    async def save(self, _: Any) -> dict[Place, BaseException]:
        self._do("save")
        return self.failed

    async def tell(self, *_: Any) -> None:
        self._do("tell")

    async def builder(self, _: Any) -> list[Behind]:
        self._do("builder")
        return [Behind("builder", 0, 1)]

    async def composer(self, *_: Any) -> list[Behind]:
        self._do("composer")
        return [Behind("composer", 0, 1)]

    async def relay(self, *_: Any) -> list[Behind]:
        self._do("relay")
        return [Behind("relay", 0, 1)]

    async def tell_parts(self, _: Any, parts: list[Behind], __: int) -> None:
        self.parts = [each.part for each in parts]

    def set_metrics(self, _: Any) -> None:
        pass

    async def close(self) -> None:
        pass


class Turning:
    """A monitor on those servers."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.servers = Servers()
        self.health = Health()
        self.health.expect(STREAM_PART, POSTGRES_PART)
        monkeypatch.setattr(module, "borrowed", _lent)
        monkeypatch.setattr(module, "tell_parts", self.servers.tell_parts)
        monkeypatch.setattr(module, "open_pool", lambda *_, **__: None)
        self.monitor = Monitor(Settings(), self.health, 1)
        for name in ("_meter", "stream", "_telling"):
            monkeypatch.setattr(self.monitor, name, self.servers)

    @property
    def troubles(self) -> dict[str, str]:
        return {part: reason for part, reason in self.health.troubles.items() if reason}

    async def turn(self) -> None:
        await self.monitor.turn()


@asynccontextmanager
async def _lent(*_: Any) -> AsyncIterator[None]:
    yield None


@pytest.fixture
def turning(monkeypatch: pytest.MonkeyPatch) -> Turning:
    return Turning(monkeypatch)


async def test_a_whole_turn_saves_tells_and_measures_each_part(turning: Turning) -> None:
    await turning.turn()
    assert turning.servers.done == ["ends", "save", "tell", "builder", "composer", "relay"]
    assert turning.servers.parts == ["builder", "composer", "relay"]
    assert turning.troubles == {}


@pytest.mark.parametrize("measured", ["builder", "composer", "relay"])
async def test_a_part_that_cannot_be_measured_is_left_out_and_said(turning: Turning, measured: str) -> None:
    error = KafkaError("no coordinator") if measured == "builder" else OSError("no route")
    turning.servers.broken = {measured: error}
    await turning.turn()
    assert {"save", "tell"} <= set(turning.servers.done)
    assert turning.servers.parts == [each for each in ("builder", "composer", "relay") if each != measured]
    (reason,) = turning.troubles.values()
    assert f"how far the {measured} is behind cannot be measured" in reason


async def test_when_the_ends_of_the_topics_are_not_known_what_came_is_saved_and_told(turning: Turning) -> None:
    turning.servers.broken = {"ends": TimeoutError()}
    await turning.turn()
    assert turning.servers.done == ["save", "tell"]
    assert "cannot be measured" in turning.troubles[STREAM_PART]


async def test_what_cannot_be_saved_is_told_nevertheless_and_saved_the_next_time(turning: Turning) -> None:
    place = Place(0, "lab")
    turning.monitor._ledger.at(place)
    turning.servers.failed = {place: ValueError("too large")}
    await turning.turn()
    assert "1 of the environments cannot be saved: too large" in turning.troubles[STREAM_PART]
    assert set(turning.monitor._ledger.unsaved) == {place}

    turning.servers.failed = {}
    await turning.turn()
    assert (turning.troubles, turning.monitor._ledger.unsaved) == ({}, {})


async def test_while_postgres_is_away_what_came_is_saved(turning: Turning) -> None:
    turning.servers.broken = {"tell": OSError("no route")}
    await turning.turn()
    assert "save" in turning.servers.done
    assert list(turning.troubles) == [POSTGRES_PART]

"""What a watchdog tells of work that is held up, and when it gives up."""

from collections.abc import Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError
from prometheus_client import REGISTRY

from services.kit.health import Health
from services.kit.process import running
from services.kit.progress import Place, Seen
from services.kit.watchdog import PART, TURNS, Watchdog
from tests.support.services import eventually

AFTER_S = 0.2
STUCK = Seen(17, 1042)


class World:
    """What is there to be seen, and how often somebody has looked."""

    def __init__(self, **seen: Seen) -> None:
        self.seen: Mapping[Place, Seen] = {Place(what, 3): each for what, each in seen.items()}
        self.looks = 0
        self.error: Exception | None = None

    async def look(self) -> Mapping[Place, Seen]:
        self.looks += 1
        if self.error is not None:
            raise self.error
        return self.seen

    async def looked_at(self, times: int) -> None:
        """Return when somebody has looked so often again."""
        enough = self.looks + times
        await eventually(lambda: self.looks >= enough)


@asynccontextmanager
async def watched(world: World, health: Health, after_s: float = AFTER_S) -> Any:
    health.well("kafka")
    async with running(Watchdog(after_s, health, world.look).run()):
        yield


def seconds(what: str) -> float | None:
    return REGISTRY.get_sample_value("pipeloom_held_up_seconds", {"what": what, "partition": "3"})


def ends() -> float:
    return REGISTRY.get_sample_value("pipeloom_watchdog_ends_total") or 0.0


async def test_work_that_is_held_up_is_told_and_then_ends_the_process_with_the_reason() -> None:
    world, health, before = World(commands=STUCK), Health(), ends()
    health.ill("batches", "batches are held up: a lock is held")
    async with watched(world, health):
        await eventually(lambda: not health.is_well(PART))
        told = str(health.troubles[PART])
        assert told.startswith("commands in partition 3: 17 waiting, no progress since 20")
        assert told.endswith("at 1042; batches: batches are held up: a lock is held")
        assert seconds("commands")
        await eventually(lambda: health.gave_up is not None)
    assert str(health.gave_up).startswith("ended by its watchdog: commands in partition 3: 17 waiting")
    assert ends() == before + 1


async def test_work_that_gets_on_again_is_well_again() -> None:
    world, health = World(gets_on=STUCK), Health()
    async with watched(world, health, after_s=4.0):
        await eventually(lambda: not health.is_well(PART))
        world.seen = {Place("gets_on", 3): Seen(16, 1043)}
        await eventually(lambda: health.is_well(PART))
        assert seconds("gets_on") == 0
    assert health.gave_up is None


async def test_an_outage_of_a_server_is_waited_out_and_seen() -> None:
    world, health = World(waits=STUCK), Health()
    async with watched(world, health):
        health.ill("kafka", "it is away")
        await eventually(lambda: (seconds("waits") or 0) > 2 * AFTER_S)
        assert (health.gave_up, health.is_well(PART)) == (None, False)
        health.well("kafka")
        await eventually(lambda: health.gave_up is not None)


async def test_a_server_that_does_not_tell_where_the_work_is_is_waited_for_too() -> None:
    world, health = World(unseen=STUCK), Health()
    async with watched(world, health):
        await world.looked_at(1)
        world.error = KafkaConnectionError()
        await eventually(lambda: (seconds("unseen") or 0) > 2 * AFTER_S)
        assert health.gave_up is None


async def test_a_loop_that_does_not_come_round_is_named() -> None:
    world, health = World(), Health()
    world.seen = {TURNS: Seen(1, 12)}
    async with watched(world, health):
        await eventually(lambda: health.gave_up is not None)
    assert "no turn is taken, no progress since" in str(health.gave_up)


async def test_a_place_that_is_somebody_elses_is_not_told_any_more() -> None:
    world, health = World(moved_away=STUCK), Health()
    async with watched(world, health, after_s=8.0):
        await eventually(lambda: seconds("moved_away") is not None)
        world.seen = {}
        await eventually(lambda: seconds("moved_away") is None)


async def test_a_watchdog_that_is_off_tells_and_never_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.kit.watchdog.EVERY_S", 0.01)
    monkeypatch.setattr("services.kit.watchdog.TELL_AFTER_S", 0.05)
    world, health = World(off=STUCK), Health()
    async with watched(world, health, after_s=0):
        await eventually(lambda: not health.is_well(PART))
        await world.looked_at(10)
    assert health.gave_up is None


async def test_a_defect_of_the_look_comes_out(monkeypatch: pytest.MonkeyPatch) -> None:
    world, health = World(), Health()
    world.error = KeyError("a defect")
    with pytest.raises(ExceptionGroup) as caught:
        async with watched(world, health):
            await eventually(lambda: False)
    assert caught.group_contains(KeyError)

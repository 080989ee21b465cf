"""The shares of the environments, and their turns."""

import asyncio
from collections.abc import Iterable
from contextlib import ExitStack

import pytest
from prometheus_client import REGISTRY

from events.refusals import Code
from services.kit.patience import Ending, Patience
from services.kit.places import NoPlace, Shares, Turns

LONG_S = 30.0
SOON_S = 3.0


def taken(shares: Shares, environments: Iterable[str]) -> ExitStack:
    """Take a place for each of `environments`, until what is returned is closed."""
    places = ExitStack()
    for environment in environments:
        places.enter_context(shares.place(environment))
    return places


def refusal(shares: Shares, environment: str) -> NoPlace:
    with pytest.raises(NoPlace) as caught, shares.place(environment):
        pass
    return caught.value


def refused(kind: str, reason: str) -> float:
    return REGISTRY.get_sample_value("pipeloom_places_refused_total", {"kind": kind, "reason": reason}) or 0.0


@pytest.mark.parametrize(
    ("under_way", "asks", "code"),
    [
        ([], "lab", None),
        (["lab"], "lab", None),
        (["lab", "lab"], "lab", Code.ENVIRONMENT_OVERLOADED),
        (["lab", "lab"], "shop", None),
        (["lab", "lab", "shop"], "shop", Code.OVERLOADED),
        (["lab", "lab", "shop"], "third", Code.OVERLOADED),
        # Who has its share is told so, also when all places are taken: to wait for others would not help it.
        (["lab", "lab", "shop"], "lab", Code.ENVIRONMENT_OVERLOADED),
    ],
)
def test_a_place_is_given_within_the_share_of_the_environment_and_the_limit_of_all(
    under_way: list[str], asks: str, code: Code | None
) -> None:
    shares = Shares("things", 3, 2)
    with taken(shares, under_way):
        if code is None:
            taken(shares, [asks]).close()
        else:
            assert refusal(shares, asks).code is code


def test_a_place_that_is_left_is_free_also_after_a_failure() -> None:
    shares = Shares("things", 1, 1)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), shares.place("lab"):
            _ = 1 / 0


def test_a_refusal_says_what_is_full_and_what_the_limit_is() -> None:
    shares = Shares("streams", 2, 1, Code.TOO_MANY_STREAMS)
    with taken(shares, ["lab", "shop"]):
        share, full = refusal(shares, "lab"), refusal(shares, "third")
    assert (full.code, full.details) == (Code.TOO_MANY_STREAMS, {"limit": 2})
    assert share.details == {"limit": 1}
    assert "Your environment has 1 streams" in share.message


def test_refusals_are_counted_by_their_reason() -> None:
    shares = Shares("counted", 2, 1)
    with taken(shares, ["lab", "shop"]):
        for environment in ("lab", "third", "third"):
            refusal(shares, environment)
    assert (refused("counted", "share"), refused("counted", "full")) == (1, 2)


class Worker:
    """Somebody who wants a turn, and works until told to stop."""

    def __init__(self, turns: Turns, environment: str, within_s: float = LONG_S) -> None:
        self.begun = asyncio.Event()
        self.stop = asyncio.Event()
        self.task = asyncio.create_task(self._work(turns, environment, within_s))

    async def _work(self, turns: Turns, environment: str, within_s: float) -> None:
        async with turns.turn(environment, Patience(LONG_S), within_s):
            self.begun.set()
            await self.stop.wait()

    async def has_begun(self) -> None:
        await asyncio.wait_for(self.begun.wait(), SOON_S)

    async def end(self) -> None:
        self.stop.set()
        await asyncio.wait_for(self.task, SOON_S)


async def test_those_of_an_environment_take_turns_in_their_order_and_hold_up_no_other() -> None:
    # Given
    turns = Turns("things", beside_others=1, alone=1, longest_s=LONG_S)
    first, second, third = (Worker(turns, "lab") for _ in range(3))
    await first.has_begun()
    # When
    other = Worker(turns, "shop")
    await other.has_begun()
    # Then
    assert not second.begun.is_set()
    await first.end()
    await second.has_begun()
    assert not third.begun.is_set()
    for each in (second, third, other):
        await each.end()


async def test_who_works_for_long_has_had_its_turn() -> None:
    turns = Turns("things", beside_others=1, alone=1, longest_s=0.01)
    waiting_for_something, next_one = Worker(turns, "lab"), Worker(turns, "lab")
    await next_one.has_begun()
    assert not waiting_for_something.task.done()
    for each in (waiting_for_something, next_one):
        await each.end()
    await Worker(turns, "lab").end()


async def test_a_turn_that_does_not_come_in_time_is_refused() -> None:
    turns = Turns("things", beside_others=1, alone=1, longest_s=LONG_S)
    first, hasty = Worker(turns, "lab"), Worker(turns, "lab", 0.01)
    with pytest.raises(NoPlace, match="did not come within") as caught:
        await asyncio.wait_for(hasty.task, SOON_S)
    assert caught.value.code is Code.ENVIRONMENT_OVERLOADED
    await first.end()


async def test_who_leaves_the_line_takes_no_turn() -> None:
    turns = Turns("things", beside_others=1, alone=1, longest_s=LONG_S)
    first, gone, last = (Worker(turns, "lab") for _ in range(3))
    await first.has_begun()
    gone.task.cancel()
    await asyncio.wait({gone.task})
    await first.end()
    await last.has_begun()
    assert not gone.begun.is_set()
    await last.end()


async def test_who_leaves_when_it_is_called_passes_the_turn_on() -> None:
    turns = Turns("things", beside_others=1, alone=1, longest_s=LONG_S)
    first, gone, last = (Worker(turns, "lab") for _ in range(3))
    await first.has_begun()
    first.task.add_done_callback(lambda _: gone.task.cancel())
    await first.end()
    await last.has_begun()
    assert (gone.begun.is_set(), gone.task.cancelled()) == (False, True)
    await last.end()


async def test_an_environment_that_asks_for_nothing_is_forgotten() -> None:
    turns = Turns("things", beside_others=1, alone=1, longest_s=LONG_S)
    for each in [Worker(turns, "lab"), Worker(turns, "lab")]:
        await each.end()
    assert not turns._lines


async def begun(workers: Iterable[Worker]) -> int:
    """Return how many have a turn, once those have who can."""
    for _ in range(5):
        await asyncio.sleep(0)
    return sum(worker.begun.is_set() for worker in workers)


async def test_who_asks_alone_has_more_turns_than_beside_others() -> None:
    # Given
    turns = Turns("things", beside_others=2, alone=5, longest_s=LONG_S)
    alone = [Worker(turns, "lab") for _ in range(7)]
    assert await begun(alone) == 5
    # When
    other = Worker(turns, "shop")
    await other.has_begun()
    # Then
    for worker in alone[:3]:
        await worker.end()
    assert await begun(alone) == 5
    await alone[3].end()
    assert await begun(alone) == 6
    for worker in [*alone[4:], other]:
        await worker.end()


async def test_some_time_after_the_others_the_one_that_is_left_has_all_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.kit.places.ALONE_AFTER_S", 0.0)
    turns = Turns("things", beside_others=1, alone=3, longest_s=LONG_S)
    await Worker(turns, "shop").end()
    left = [Worker(turns, "lab") for _ in range(4)]
    assert await begun(left) == 3
    for worker in left:
        await worker.end()


async def test_who_waits_for_a_turn_when_the_process_ends_is_told_that() -> None:
    ending = Ending()
    turns = Turns("things", beside_others=1, alone=1, longest_s=LONG_S)
    first = Worker(turns, "lab")
    await first.has_begun()
    asyncio.get_running_loop().call_soon(ending.set)
    with pytest.raises(NoPlace, match="is being stopped") as caught:
        async with turns.turn("lab", Patience(LONG_S, ending), LONG_S):
            raise AssertionError
    assert caught.value.code is Code.OVERLOADED
    await first.end()

"""Postgres is asked when there may be something to do, and not once more for each of many hints."""

import asyncio

import pytest

from services.webhooks.turns import PACE_S, Turn, Turns

NOTHING, EVENTS, ALL = Turn(False, False, False), Turn(False, True, False), Turn(True, True, True)
POLL_S = 1.0


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def turns(clock: Clock) -> Turns:
    """Return the turns of a courier that has looked for everything, and found a webhook."""
    turns = Turns(POLL_S, clock)
    assert turns.begin() == ALL
    turns.has_webhooks = True
    clock.now += PACE_S
    return turns


def test_nothing_is_looked_for_until_the_next_poll(turns: Turns, clock: Clock) -> None:
    assert turns.begin() == NOTHING
    clock.now += POLL_S
    assert turns.begin() == ALL
    assert turns.begin() == NOTHING


def test_a_hint_is_followed_at_once(turns: Turns) -> None:
    turns.events()
    assert turns.begin() == EVENTS
    assert turns.begin() == NOTHING


def test_many_hints_are_one_turn_in_each_pace(turns: Turns, clock: Clock) -> None:
    looked = 0
    for _ in range(100):
        turns.events()
        looked += turns.begin().looks_for_events
        clock.now += PACE_S / 20
    assert looked == 5


def test_hints_are_nothing_while_there_is_no_webhook(turns: Turns, clock: Clock) -> None:
    turns.has_webhooks = False
    turns.events()
    assert turns.begin() == NOTHING
    clock.now += POLL_S
    assert turns.begin() == ALL


def test_a_place_that_is_free_again_is_filled_at_once(turns: Turns) -> None:
    turns.places()
    assert turns.begin() == Turn(looks_for_webhooks=False, looks_for_events=True, looks_for_due=True)
    turns.places()
    assert turns.begin() == Turn(looks_for_webhooks=False, looks_for_events=False, looks_for_due=True)


def test_after_trouble_everything_is_looked_for(turns: Turns) -> None:
    turns.everything()
    assert turns.begin() == ALL


@pytest.mark.parametrize("tell", [Turns.events, Turns.places, Turns.everything])
async def test_the_wait_ends_when_there_is_something_to_look_for(turns: Turns, tell: object) -> None:
    assert callable(tell)
    tell(turns)
    async with asyncio.timeout(POLL_S / 2):
        await turns.wait(asyncio.Event())


async def test_the_wait_ends_with_the_service(turns: Turns) -> None:
    stop = asyncio.Event()
    stop.set()
    async with asyncio.timeout(POLL_S / 2):
        await turns.wait(stop)


async def test_the_wait_is_not_ended_by_a_hint_that_nobody_wants(turns: Turns) -> None:
    turns.has_webhooks = False
    turns.events()
    waiting = asyncio.ensure_future(turns.wait(asyncio.Event()))
    done, _ = await asyncio.wait({waiting}, timeout=PACE_S * 2)
    waiting.cancel()
    assert not done

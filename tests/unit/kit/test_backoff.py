"""Waiting longer after each failure in a row."""

import asyncio
import time

import pytest

from services.kit import backoff
from services.kit.backoff import Backoff


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backoff, "FIRST_S", 0.02)
    monkeypatch.setattr(backoff, "MOST_S", 0.08)


async def waited(backoff: Backoff, stop: asyncio.Event | None = None) -> float:
    started = time.monotonic()
    async with asyncio.timeout(10):
        await backoff.wait(stop or asyncio.Event())
    return time.monotonic() - started


async def test_each_wait_is_twice_as_long_up_to_the_longest() -> None:
    waits = Backoff()
    lengths = [await waited(waits) for _ in range(5)]
    for length, at_least in zip(lengths, (0.02, 0.04, 0.08, 0.08, 0.08), strict=True):
        assert at_least * 0.9 <= length
    # Five waits that went on doubling would take 0.62 s.
    assert sum(lengths) < 0.6


async def test_after_a_success_it_starts_over() -> None:
    waits = Backoff()
    for _ in range(3):
        await waited(waits)
    waits.reset()
    assert await waited(waits) < 0.08


async def test_it_ends_at_once_when_it_is_told_to_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backoff, "FIRST_S", 60.0)
    stop = asyncio.Event()
    asyncio.get_running_loop().call_soon(stop.set)
    assert await waited(Backoff(), stop) < 5

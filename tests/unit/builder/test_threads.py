"""Threads of builds: how many there are, and who waits for them."""

import asyncio
import threading

import pytest

from services.builder import threads as module
from services.builder.threads import BuildThreads

GIVE_UP_S = 10.0


async def test_what_a_call_returns_or_raises_is_handed_over() -> None:
    def broken() -> None:
        raise OSError("full")

    async with BuildThreads(1) as threads, threads.place() as place:
        assert await place.run(threading.current_thread) is not threading.current_thread()
        with pytest.raises(OSError, match="full"):
            await place.run(broken)


async def test_a_place_is_free_again_once_its_thread_has_ended_and_not_before() -> None:
    threads, release = BuildThreads(1), threading.Event()
    # Given an abandoned thread
    with pytest.raises(TimeoutError):
        async with threads.place() as place, asyncio.timeout(0.05):
            await place.run(lambda: release.wait(GIVE_UP_S))
    # When, then
    second = asyncio.create_task(_run_in(threads))
    done, _ = await asyncio.wait({second}, timeout=0.1)
    assert not done
    release.set()
    assert await asyncio.wait_for(second, GIVE_UP_S) == "ran"


async def test_the_end_of_the_block_waits_for_threads_that_end_soon() -> None:
    ended, loop = threading.Event(), asyncio.get_running_loop()
    abandoned = threading.Event()

    def clears_up() -> None:
        abandoned.wait(GIVE_UP_S)
        ended.set()

    async with BuildThreads(1) as threads:
        with pytest.raises(TimeoutError):
            async with threads.place() as place, asyncio.timeout(0.05):
                await place.run(clears_up)
        loop.call_later(0.1, abandoned.set)
    assert ended.is_set()


async def test_the_end_of_the_block_does_not_wait_for_a_thread_that_does_not_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "ENDS_WITHIN_S", 0.1)
    release = threading.Event()
    async with asyncio.timeout(GIVE_UP_S / 2), BuildThreads(1) as threads:
        with pytest.raises(TimeoutError):
            async with threads.place() as place, asyncio.timeout(0.05):
                await place.run(lambda: release.wait(GIVE_UP_S))
    assert not release.is_set()
    release.set()


async def _run_in(threads: BuildThreads) -> str:
    async with threads.place() as place:
        return await place.run(lambda: "ran")

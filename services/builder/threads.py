"""Threads for builds: a bounded number of their own, of which none keeps the process from ending."""

import asyncio
import contextvars
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future
from contextlib import asynccontextmanager
from functools import partial
from types import TracebackType
from typing import Self, TypeVar

import structlog

# An abandoned fetch ends within a host's silence (budget.SILENCE_S) and clears its folder up.
ENDS_WITHIN_S = 7.0
Result = TypeVar("Result")

log = structlog.get_logger()


class BuildThreads:
    """Places for builds. An abandoned thread has its place until it ends, so there are never more threads.

    Inside a block; its end waits for threads, but not longer than ENDS_WITHIN_S.
    """

    def __init__(self, number: int) -> None:
        self._free = asyncio.Semaphore(number)
        self._under_way: set[asyncio.Future[None]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._under_way:
            return
        _, left = await asyncio.wait(self._under_way, timeout=ENDS_WITHIN_S)
        if left:
            log.warning("builds are left in the middle of something", number=len(left))

    @asynccontextmanager
    async def place(self) -> AsyncIterator["Place"]:
        """Give a place for one build, once there is one."""
        await self._free.acquire()
        place = Place()
        try:
            yield place
        finally:
            if place.ended is None or place.ended.done():
                self._free.release()
            else:
                self._under_way.add(place.ended)
                place.ended.add_done_callback(self._left)

    def _left(self, ended: asyncio.Future[None]) -> None:
        self._under_way.discard(ended)
        self._free.release()


class Place:
    """Where one build runs, one attempt at a time."""

    def __init__(self) -> None:
        self.ended: asyncio.Future[None] | None = None

    async def run(self, call: Callable[[], Result]) -> Result:
        """Return what `call` returns in a thread; when this is cancelled, the thread goes on."""
        outcome: Future[Result] = Future()
        ended: Future[None] = Future()
        # Else a cancelled wait would cancel the outcome, which the thread then could not set.
        outcome.set_running_or_notify_cancel()
        ended.set_running_or_notify_cancel()
        self.ended = asyncio.wrap_future(ended)
        run = partial(contextvars.copy_context().run, _run, call, outcome, ended)
        # A thread of an executor would be waited for at the end of the process, however long it takes.
        threading.Thread(target=run, name="build", daemon=True).start()
        return await asyncio.wrap_future(outcome)


def _run(call: Callable[[], Result], outcome: Future[Result], ended: Future[None]) -> None:
    try:
        outcome.set_result(call())
    except BaseException as error:  # noqa: BLE001 - it is raised where the outcome is awaited
        outcome.set_exception(error)
    finally:
        ended.set_result(None)

"""Keeps child processes alive, and ends them in order."""

import asyncio
import contextlib
import signal
import time
from collections.abc import Sequence
from typing import Protocol

from pipeloom.local.backoff import Backoff
from pipeloom.local.errors import LocalStackError
from pipeloom.local.progress import Progress

# Of the time to stop, so much is kept for each batch that comes after, and as much for killing and collecting: what a
# batch does not need, the next ones get.
_RESERVE = 0.13


class Child(Protocol):
    """A process that may be started again after it ended."""

    @property
    def name(self) -> str:
        """What the console calls it."""

    async def start(self, report: Progress) -> None:
        """Return when it is ready; leave nothing running if that fails or is cancelled."""

    async def wait(self) -> int:
        """Return its exit code once it has ended."""

    def reason(self) -> str | None:
        """Return why it ended, when it has said so in its last line."""

    async def stop(self, grace: float) -> None:
        """End it and all that it started, by force after `grace` seconds."""


class Supervisor:
    """Starts children together, restarts what dies, and stops batch after batch, the last one first."""

    def __init__(self, report: Progress) -> None:
        self._report = report
        self._batches: list[Sequence[Child]] = []
        self._keepers: list[asyncio.Task[None]] = []

    async def start(self, *batches: Sequence[Child]) -> None:
        """Return when all of the children are ready; the first failure of one ends the start of the others."""
        self._batches += batches
        children = [child for batch in batches for child in batch]
        try:
            async with asyncio.TaskGroup() as group:
                for child in children:
                    group.create_task(child.start(self._report))
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None
        self._keepers += [asyncio.create_task(self._keep(child), name=f"keep {child.name}") for child in children]

    def start_later(self, children: Sequence[Child]) -> None:
        """Start children that nobody waits for; one that does not get ready is tried again, and harms no other.

        They are stopped with the batch that is stopped first, so that they take of nobody's time.
        """
        last = self._batches.pop() if self._batches else []
        self._batches.append([*last, *children])
        self._keepers += [asyncio.create_task(self._begin(child), name=f"keep {child.name}") for child in children]

    async def watch(self) -> None:
        """Wait for ever; a defect in the supervision itself comes out here."""
        await asyncio.gather(*self._keepers)

    async def stop(self, within: float) -> None:
        """Stop batch after batch, the last one first, and be done within so many seconds."""
        end, reserve = time.monotonic() + within, within * _RESERVE
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        outcomes: list[BaseException | None] = []
        while self._batches:
            batch = self._batches.pop()
            grace = max(end - time.monotonic() - reserve * (len(self._batches) + 1), reserve)
            outcomes += await asyncio.gather(*(child.stop(grace) for child in batch), return_exceptions=True)
        for trouble in filter(None, outcomes):
            raise trouble

    async def _begin(self, child: Child) -> None:
        await self._start_again(child, Backoff())
        await self._keep(child)

    async def _keep(self, child: Child) -> None:
        backoff = Backoff()
        while True:
            born = time.monotonic()
            code = await child.wait()
            pause = backoff.after_life_of(time.monotonic() - born)
            reason = child.reason()
            why = f": {reason}" if reason and code > 0 else ""
            self._report.say(child.name, f"{describe_exit(code)}{why}; starting again in {pause:.1f} s")
            await asyncio.sleep(pause)
            await self._start_again(child, backoff)

    async def _start_again(self, child: Child, backoff: Backoff) -> None:
        while True:
            try:
                return await child.start(self._report)
            except (LocalStackError, OSError) as trouble:
                pause = backoff.after_life_of(0)
                self._report.say(child.name, f"{trouble}\ntrying again in {pause:.1f} s")
                await asyncio.sleep(pause)


def describe_exit(code: int) -> str:
    """Say how a process ended."""
    if code < 0:
        with contextlib.suppress(ValueError):
            return f"was ended by {signal.Signals(-code).name}"
    return f"ended with code {code}"

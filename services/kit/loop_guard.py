"""Ends a process whose event loop stands still: no task of that loop could notice, so a thread does."""

import asyncio
import contextlib
import faulthandler
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

from services.kit.progress import OwnTime

TICK_S = 5.0
STDERR = 2
# What does not even let this thread run, such as an expression that matches for ever, is ended without Python's help.
LAST_RESORT = 5

BLOCKED = 70
"""The exit code of a process whose event loop stood still (EX_SOFTWARE)."""

End = Callable[[float], None]


@contextmanager
def loop_guard(name: str, after_s: float) -> Iterator[None]:
    """Guard the running loop inside the block; 0 turns it off."""
    if not after_s:
        yield
        return

    def end(still_s: float) -> NoReturn:
        end_at_once(name, still_s)

    guard = LoopGuard(asyncio.get_running_loop(), after_s, end)
    guard.start()
    try:
        yield
    finally:
        guard.stop()


class LoopGuard:
    """Asks the loop for a sign of life, over and over.

    It counts the ticks that it has lived through itself: a process that was paused has not missed any.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, after_s: float, end: End) -> None:
        """Call `end`, in a thread, once the loop has given no sign for `after_s` seconds."""
        self._loop = loop
        self._after_s = after_s
        self._end = end
        self._tick_s = min(TICK_S, after_s / 5)
        self._answered = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="event loop guard", daemon=True)

    def start(self) -> None:
        """Begin to ask."""
        self._thread.start()

    def stop(self) -> None:
        """Ask no more."""
        self._stopped.set()
        self._thread.join(self._tick_s)
        faulthandler.cancel_dump_traceback_later()

    def _watch(self) -> None:
        own_time, still_s = OwnTime(time.monotonic(), 2 * self._tick_s), 0.0
        self._answered.set()
        while not self._stopped.is_set():
            faulthandler.dump_traceback_later(LAST_RESORT * self._after_s, exit=True, file=STDERR)
            if self._answered.is_set():
                still_s = 0.0
                self._answered.clear()
                with contextlib.suppress(RuntimeError):  # the loop is closed
                    self._loop.call_soon_threadsafe(self._answered.set)
            elif still_s >= self._after_s:
                self._end(still_s)
                return
            self._stopped.wait(self._tick_s)
            still_s += own_time.passed(time.monotonic())


def end_at_once(name: str, still_s: float) -> NoReturn:
    """Write what every thread is doing, say why, and end; nothing is drained, since the loop would have to do it."""
    faulthandler.dump_traceback(file=STDERR, all_threads=True)
    print(
        f"pipeloom {name}: ended, since its event loop has stood still for {still_s:.0f} s; what it was doing is above",
        file=sys.__stderr__,
        flush=True,
    )
    os._exit(BLOCKED)

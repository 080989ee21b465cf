"""Waiting longer after each failure in a row."""

import asyncio
import contextlib

FIRST_S = 0.1
MOST_S = 5.0


class Backoff:
    """Doubles its wait from FIRST_S up to MOST_S, until it is reset."""

    def __init__(self) -> None:
        self._next_s = FIRST_S

    async def wait(self, stop: asyncio.Event) -> None:
        """Wait for the next delay, or until `stop` is set."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), self._next_s)
        self._next_s = min(self._next_s * 2, MOST_S)

    def reset(self) -> None:
        """Start over after a success."""
        self._next_s = FIRST_S

"""When it is worth asking Postgres: for new events not more often than every PACE_S, and for none that nobody wants."""

import asyncio
from collections.abc import Callable
from typing import NamedTuple

PACE_S = 0.05


class Turn(NamedTuple):
    """What a turn is to look for."""

    looks_for_webhooks: bool
    looks_for_events: bool
    looks_for_due: bool


class Turns:
    """Says what the next turn looks for, and waits until there is something. It starts with a poll, for everything."""

    def __init__(self, poll_interval_s: float, now: Callable[[], float]) -> None:
        """Let `now` be a clock that never goes back."""
        self._poll_interval_s = poll_interval_s
        self._now = now
        self._poll_at = self._events_at = now()
        self._has_events = False
        self._has_places = False
        self._told = asyncio.Event()
        self.has_webhooks = False

    def events(self) -> None:
        """Take note that there may be new events. While there are no webhooks, this is nothing to anybody."""
        if self.has_webhooks and not self._has_events:
            self._told.set()
        self._has_events = True

    def places(self) -> None:
        """Take note that an attempt has ended: there are places for others, and for deliveries of further events."""
        self._has_places = True
        self.events()
        self._told.set()

    def everything(self) -> None:
        """Let the next turn look for all there is."""
        self._poll_at = self._now()

    def begin(self) -> Turn:
        """Return what is to be looked for now."""
        self._told.clear()
        now = self._now()
        is_poll = now >= self._poll_at
        if is_poll:
            self._poll_at = now + self._poll_interval_s
        takes_events = is_poll or (self.has_webhooks and self._has_events and now >= self._events_at)
        if takes_events:
            self._has_events = False
            self._events_at = now + PACE_S
        takes_places, self._has_places = is_poll or self._has_places, False
        return Turn(is_poll, takes_events, takes_places)

    async def wait(self, stop: asyncio.Event) -> None:
        """Wait until there is something to look for, or `stop` is set."""
        due_at = min(self._poll_at, self._events_at) if self.has_webhooks and self._has_events else self._poll_at
        waits = [asyncio.ensure_future(event.wait()) for event in (self._told, stop)]
        try:
            await asyncio.wait(waits, timeout=max(0.0, due_at - self._now()), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

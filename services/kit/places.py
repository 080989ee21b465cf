"""Shares what a process can have under way among the environments, so that none of them takes it all."""

import asyncio
import math
from collections import Counter as Tally
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

from events.refusals import Code, Refused
from services.kit.metrics import PLACES_REFUSED, TURNS_QUEUED
from services.kit.patience import Patience

FULL, SHARE, TURN = "full", "share", "turn"
COMMANDS, LISTS = "commands", "lists"
# So long after two environments asked in turn, each still leaves room for the other.
ALONE_AFTER_S = 1.0


class NoPlace(Refused):
    """A refusal of what was not begun, for want of a place."""


class Shares:
    """Counts what is under way: at most `at_most` in all, and `each` of one environment."""

    def __init__(self, of: str, at_most: int, each: int, code: Code = Code.OVERLOADED) -> None:
        """`of` names what is counted, in the plural; `code` says that there is no place for anybody."""
        self._of = of
        self._at_most = at_most
        self._each = each
        self._code = code
        self._taken: Tally[str] = Tally()
        self._number = 0
        for why in (FULL, SHARE):
            PLACES_REFUSED.labels(of, why)

    @contextmanager
    def place(self, environment: str) -> Iterator[None]:
        """Take a place for the length of the block. Raises NoPlace: the full one's code, or environment_overloaded."""
        self._demand_one(environment)
        self._taken[environment] += 1
        self._number += 1
        try:
            yield
        finally:
            self._number -= 1
            self._taken[environment] -= 1
            if not self._taken[environment]:
                del self._taken[environment]

    def _demand_one(self, environment: str) -> None:
        if self._taken[environment] >= self._each:
            PLACES_REFUSED.labels(self._of, SHARE).inc()
            raise NoPlace(
                Code.ENVIRONMENT_OVERLOADED,
                f"Your environment has {self._each} {self._of} under way at this process, which is its share; "
                "nothing was done. Send fewer at a time, or try again.",
                limit=self._each,
            )
        if self._number >= self._at_most:
            PLACES_REFUSED.labels(self._of, FULL).inc()
            raise NoPlace(
                self._code,
                f"{self._at_most} {self._of} are under way at this process, which is the most that it takes; "
                "nothing was done. Try again.",
                limit=self._at_most,
            )


class _Line:
    """The turns of one environment, and who waits for one, in the order in which they came."""

    def __init__(self) -> None:
        self.under_way = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def is_idle(self) -> bool:
        return not (self.under_way or self._waiting)

    async def take(self, at_once: int, patience: Patience, within_s: float) -> bool:
        if self.under_way < at_once and not self._waiting:
            self.under_way += 1
            return True
        called = asyncio.get_running_loop().create_future()
        self._waiting.append(called)
        self._call(at_once)
        try:
            with TURNS_QUEUED.track_inprogress():
                return await patience.wait(called, within_s)
        except asyncio.CancelledError:
            if called.done():
                self.give(at_once)
            raise
        finally:
            with suppress(ValueError):  # who was called has left the line
                self._waiting.remove(called)

    def give(self, at_once: int) -> None:
        self.under_way -= 1
        self._call(at_once)

    def _call(self, at_once: int) -> None:
        while self._waiting and self.under_way < at_once:
            self.under_way += 1
            self._waiting.popleft().set_result(None)


class Turns:
    """Has some things of each environment worked on at a time, in the order in which they came.

    That is few as long as others ask too, so that those find room between, and many for one that asks alone.
    """

    def __init__(self, of: str, *, beside_others: int, alone: int, longest_s: float) -> None:
        """`of` names what is worked on, in the plural.

        Who has had a turn for `longest_s` costs nothing any more while it waits: the next one has it then.
        """
        self._of = of
        self._beside_others = beside_others
        self._alone = max(alone, beside_others)
        self._longest_s = longest_s
        self._lines: dict[str, _Line] = {}
        self._last: str | None = None
        self._shared_at = -math.inf
        PLACES_REFUSED.labels(of, TURN)

    @asynccontextmanager
    async def turn(self, environment: str, patience: Patience, within_s: float) -> AsyncIterator[None]:
        """Wait for a turn, and have it for the block. Raises NoPlace environment_overloaded when it does not come."""
        self._see(environment)
        line = self._lines.setdefault(environment, _Line())
        try:
            if not await line.take(self.at_once(), patience, within_s):
                raise self._ending() if patience.is_cut_short else self._no_turn(within_s)
            with self._given_back(line):
                yield
        finally:
            if line.is_idle and self._lines.get(environment) is line:
                del self._lines[environment]

    def at_once(self) -> int:
        """Return how many of an environment are worked on at a time now."""
        is_shared = asyncio.get_running_loop().time() - self._shared_at < ALONE_AFTER_S
        return self._beside_others if is_shared else self._alone

    def _see(self, environment: str) -> None:
        if self._last not in (None, environment):
            self._shared_at = asyncio.get_running_loop().time()
        self._last = environment

    def _ending(self) -> NoPlace:
        PLACES_REFUSED.labels(self._of, FULL).inc()
        return NoPlace(Code.OVERLOADED, "This process is being stopped; nothing was done. Try again.")

    def _no_turn(self, within_s: float) -> NoPlace:
        PLACES_REFUSED.labels(self._of, TURN).inc()
        return NoPlace(
            Code.ENVIRONMENT_OVERLOADED,
            f"The {self._of} of your environment take turns, and this one's did not come within {within_s:.1f} s; "
            "nothing was done. Ask for fewer at a time, or try again.",
            limit=self._beside_others,
        )

    @contextmanager
    def _given_back(self, line: _Line) -> Iterator[None]:
        """Give a turn back once, when the block ends or after the longest time."""
        is_over = False

        def give_back() -> None:
            nonlocal is_over
            if not is_over:
                is_over = True
                line.give(self.at_once())

        timer = asyncio.get_running_loop().call_later(self._longest_s, give_back)
        try:
            yield
        finally:
            timer.cancel()
            give_back()

"""Shares what a process can have under way among the environments, so that none of them takes it all."""

import asyncio
from collections import Counter as Tally
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

from events.refusals import Code, Refused
from services.kit.metrics import PLACES_REFUSED, TURNS_QUEUED
from services.kit.patience import Patience

FULL, SHARE, TURN = "full", "share", "turn"
COMMANDS = "commands"


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

    def __init__(self, at_once: int) -> None:
        self.under_way = 0
        self._at_once = at_once
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def is_idle(self) -> bool:
        return not (self.under_way or self._waiting)

    async def take(self, patience: Patience, within_s: float) -> bool:
        if self.under_way < self._at_once:
            self.under_way += 1
            return True
        called = asyncio.get_running_loop().create_future()
        self._waiting.append(called)
        try:
            with TURNS_QUEUED.track_inprogress():
                return await patience.wait(called, within_s)
        except asyncio.CancelledError:
            if called.done():
                self.give()
            raise
        finally:
            with suppress(ValueError):  # who was called has left the line
                self._waiting.remove(called)

    def give(self) -> None:
        if self._waiting:
            self._waiting.popleft().set_result(None)
        else:
            self.under_way -= 1


class Turns:
    """Has `at_once` commands of each environment worked on at a time, in the order in which they came."""

    def __init__(self, at_once: int, longest_s: float) -> None:
        """Who has had a turn for `longest_s` costs nothing any more while it waits: the next one has it then."""
        self._at_once = at_once
        self._longest_s = longest_s
        self._lines: dict[str, _Line] = {}
        PLACES_REFUSED.labels(COMMANDS, TURN)

    @asynccontextmanager
    async def turn(self, environment: str, patience: Patience, within_s: float) -> AsyncIterator[None]:
        """Wait for a turn, and have it for the block. Raises NoPlace environment_overloaded when it does not come."""
        line = self._lines.setdefault(environment, _Line(self._at_once))
        try:
            if not await line.take(patience, within_s):
                raise self._no_turn(within_s)
            with _given_back(line, self._longest_s):
                yield
        finally:
            if line.is_idle and self._lines.get(environment) is line:
                del self._lines[environment]

    def _no_turn(self, within_s: float) -> NoPlace:
        PLACES_REFUSED.labels(COMMANDS, TURN).inc()
        return NoPlace(
            Code.ENVIRONMENT_OVERLOADED,
            f"Commands of your environment take turns, and this one's did not come within {within_s:.1f} s; it was "
            "not sent. Send fewer at a time, or try again.",
            limit=self._at_once,
        )


@contextmanager
def _given_back(line: _Line, longest_s: float) -> Iterator[None]:
    """Give a turn back once, when the block ends or after `longest_s`."""
    is_over = False

    def give_back() -> None:
        nonlocal is_over
        if not is_over:
            is_over = True
            line.give()

    timer = asyncio.get_running_loop().call_later(longest_s, give_back)
    try:
        yield
    finally:
        timer.cancel()
        give_back()

"""How long a request may take: until its own deadline, or until the process ends, whichever comes first."""

import asyncio
from typing import Any


class Ending:
    """Set once, when the process can wait for nothing any more: all who still wait go on then."""

    def __init__(self) -> None:
        self._is_set = False
        self._waiting: set[asyncio.Future[None]] = set()

    def set(self) -> None:
        """Let all who wait go on."""
        self._is_set = True
        for wait in self._waiting:
            _let_go(wait)

    def is_set(self) -> bool:
        """Tell whether it is."""
        return self._is_set

    def ends(self, wait: "asyncio.Future[None]") -> None:
        """Let go of `wait` too, until it is forgotten."""
        self._waiting.add(wait)

    def forget(self, wait: "asyncio.Future[None]") -> None:
        """Leave `wait` alone."""
        self._waiting.discard(wait)


class Patience:
    """The deadline of one request. What a wait leaves undone is its owner's."""

    def __init__(self, within_s: float, ending: Ending | None = None) -> None:
        """Count from now; `ending` is set when the process can wait for nothing any more."""
        self._deadline = asyncio.get_running_loop().time() + within_s
        self._ending = ending or Ending()

    @property
    def left_s(self) -> float:
        """The seconds that are left."""
        return max(0.0, self._deadline - asyncio.get_running_loop().time())

    @property
    def is_over(self) -> bool:
        """Tell whether there is nothing left to wait for."""
        return self.left_s <= 0 or self.is_cut_short

    @property
    def is_cut_short(self) -> bool:
        """Tell whether the process ends."""
        return self._ending.is_set()

    async def wait(self, news: "asyncio.Future[Any]", at_most_s: float | None = None) -> bool:
        """Wait until `news` is there, and tell whether it is. It is neither cancelled nor read."""
        limit_s = self.left_s if at_most_s is None else min(at_most_s, self.left_s)
        loop = asyncio.get_running_loop()
        # Two waits a command: a future and a timer each, where asyncio.wait would need tasks.
        wait = loop.create_future()

        def told(_: object) -> None:
            _let_go(wait)

        timer = loop.call_later(limit_s, _let_go, wait)
        news.add_done_callback(told)
        self._ending.ends(wait)
        try:
            if not news.done() and not self.is_cut_short:
                await wait
        finally:
            timer.cancel()
            news.remove_done_callback(told)
            self._ending.forget(wait)
        return news.done()


def _let_go(wait: "asyncio.Future[None]") -> None:
    if not wait.done():
        wait.set_result(None)

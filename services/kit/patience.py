"""How long a request may take: until its own deadline, or until the process ends, whichever comes first."""

import asyncio
from typing import Any


class Patience:
    """The deadline of one request. What a wait leaves undone is its owner's."""

    def __init__(self, within_s: float, ending: asyncio.Event | None = None) -> None:
        """Count from now; `ending` is set when the process can wait for nothing any more."""
        self._deadline = asyncio.get_running_loop().time() + within_s
        self._ending = ending

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
        return self._ending is not None and self._ending.is_set()

    async def wait(self, news: "asyncio.Future[Any]", at_most_s: float | None = None) -> bool:
        """Wait until `news` is there, and tell whether it is. It is neither cancelled nor read."""
        limit_s = self.left_s if at_most_s is None else min(at_most_s, self.left_s)
        if self._ending is None:
            await asyncio.wait({news}, timeout=limit_s)
            return news.done()
        ending = asyncio.create_task(self._ending.wait())
        try:
            await asyncio.wait({news, ending}, timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ending.cancel()
        return news.done()

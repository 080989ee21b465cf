"""Those who follow environments: woken when there may be news, and all at once when the process ends."""

import asyncio
from collections.abc import Collection, Iterator
from contextlib import contextmanager


class Watchers:
    """Who follows which environment. What wakes them is a reason to look, never the news itself."""

    def __init__(self) -> None:
        self._news: dict[str, set[asyncio.Event]] = {}
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def environments(self) -> Collection[str]:
        return self._news.keys()

    @contextmanager
    def watching(self, environment: str) -> Iterator[asyncio.Event]:
        """Give what is set whenever there may be news."""
        news = asyncio.Event()
        self._news.setdefault(environment, set()).add(news)
        try:
            yield news
        finally:
            self._news[environment].discard(news)
            if not self._news[environment]:
                del self._news[environment]

    def wake(self, environment: str) -> None:
        """Have those who follow an environment look."""
        for news in self._news.get(environment, ()):
            news.set()

    def end(self) -> None:
        """Tell all of them that the process ends."""
        if not self.ended.done():
            self.ended.set_result(None)
        for environment in self._news:
            self.wake(environment)

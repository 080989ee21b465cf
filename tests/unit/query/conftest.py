"""A query service on a Postgres that answers as it is told."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from events.envelope import Event
from services.kit.backend import Backend
from services.kit.health import Health
from services.kit.sealing import Sealer, ensure_secrets_key
from services.kit.settings import SecretsSettings, Settings
from services.kit.tokens import Identity
from services.kit.web import make_app
from services.query.service import query_routers

Row = dict[str, Any]


class Postgres:
    """A pool whose connections answer each statement with what `find` or `list` gives, or raise it."""

    def __init__(self) -> None:
        self.find: Callable[[str, tuple[Any, ...]], Row | None] = lambda sql, given: None
        self.hang_s = 0.0
        self.value: int | Exception | None = None
        self.list: Callable[[str, tuple[Any, ...]], list[Row]] = lambda sql, given: []

    async def acquire(self) -> "Lent":
        await asyncio.sleep(self.hang_s)
        return Lent(self)

    async def release(self, lent: "Lent") -> None:
        """Take it back."""


class Lent:
    """A connection of that pool."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def fetchrow(self, sql: str, *given: Any) -> Row | None:
        if "pruned_up_to" in sql:
            return {"head": await self.fetchval(sql, *given) or 0, "pruned_up_to": 0}
        if "has_more" in sql:
            return self._page(sql, *given)
        return self._postgres.find(sql, given)

    def _page(self, sql: str, environment: str, after: str, size: int) -> Row:
        rows = self._postgres.list(sql, (environment, after, size + 1))
        page = rows[:size]
        return {
            "entries": ",".join(row["summary"] for row in page) or None,
            "last_name": page[-1]["name"] if page else None,
            "has_more": len(rows) > size,
        }

    async def fetchval(self, sql: str, *given: Any) -> int | None:
        if isinstance(self._postgres.value, Exception):
            raise self._postgres.value
        return self._postgres.value

    async def fetch(self, sql: str, *given: Any) -> list[Row]:
        return self._postgres.list(sql, given)


class News:
    """Who waits for what, to be told by the test."""

    def __init__(self) -> None:
        self.waiting: dict[tuple[str, object], asyncio.Future[Event]] = {}
        self.on_wait: Callable[[], None] = lambda: None

    @contextmanager
    def expecting(self, environment: str, what: object) -> Iterator["asyncio.Future[Event]"]:
        future = self.waiting[environment, what] = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(self.on_wait)
        yield future
        del self.waiting[environment, what]


class Everyone:
    """Tokens that let everybody in as Ada, into the environment `lab`."""

    def identify(self, _: str | None) -> Identity:
        return Identity("7e3f2d0c-0000-4000-8000-000000000001", "lab")

    def expires_at(self, _: str | None) -> float:
        return time.time() + 900


@pytest.fixture
def postgres() -> Postgres:
    return Postgres()


@pytest.fixture
def news() -> News:
    return News()


@pytest.fixture
def sealer(tmp_path: Path) -> Sealer:
    ensure_secrets_key(tmp_path / "secrets.key")
    return Sealer(SecretsSettings(key_file=tmp_path / "secrets.key"))


@pytest.fixture
def backend(postgres: Postgres, news: News, sealer: Sealer) -> Backend:
    return Backend(Settings(), cast("Any", postgres), cast("Any", news), cast("Any", Everyone()), sealer)


@pytest.fixture
async def http(backend: Backend) -> AsyncIterator[httpx.AsyncClient]:
    app = make_app("queries", query_routers(backend), Health(), tokens=Everyone())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://pipeloom.test/api/v1") as client:
        yield client

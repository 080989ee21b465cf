"""Lists as bare JSON arrays, in the order of names: stored texts that Postgres joins, streamed page by page."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated, NamedTuple
from urllib.parse import urlencode

import asyncpg
from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from events.patterns import NO_NUL
from services.kit.backend import Backend
from services.kit.patience import Patience
from services.kit.reading import reading
from services.kit.web import JSON, json_response

PAGE_SIZE = 1_000
BEFORE_ALL = ""
# A stream waits for the turns of its pages: there is no way left to refuse it.
TURN_WITHIN_S = 20.0

Limit = Annotated[int | None, Query(ge=1, le=PAGE_SIZE, description="At most so many; all when left out")]
After = Annotated[str, NO_NUL, Query(description="Only names behind this one, in byte order", max_length=255)]


class _Page(NamedTuple):
    """Entries, joined; the name of the last one, and whether there are more behind it."""

    entries: str
    last_name: str
    has_more: bool


class Listing:
    """One kind of resource, listed by one statement."""

    def __init__(
        self,
        backend: Backend,
        statement: Callable[..., Awaitable[asyncpg.Record]],
        spelled: Callable[[Request, str], str] = lambda _, entries: entries,
    ) -> None:
        """`spelled` says how joined entries differ from what is stored, by who asks."""
        self._backend = backend
        self._statement = statement
        self._spelled = spelled

    async def answer(self, request: Request, environment: str, limit: int | None, after: str) -> Response:
        """Return one page when there is a limit or one page holds all; else a stream of all pages."""
        page = await self._page(request, environment, after, limit or PAGE_SIZE)
        if page.has_more and not limit:
            return StreamingResponse(self._stream(request, environment, page), media_type=JSON)
        headers = _next(request, page.last_name, limit) if page.has_more and limit else None
        return json_response(f"[{page.entries}]", headers=headers)

    async def _page(self, request: Request, environment: str, after: str, size: int) -> _Page:
        patience = Patience(TURN_WITHIN_S)
        async with (
            self._backend.list_turns.turn(environment, patience, TURN_WITHIN_S),
            reading(self._backend.pool) as connection,
        ):
            row = await self._statement(connection, environment=environment, after=after, page_size=size)
        entries = row["entries"]
        return _Page(self._spelled(request, entries) if entries else "", row["last_name"], row["has_more"])

    async def _stream(self, request: Request, environment: str, page: _Page) -> AsyncIterator[str]:
        yield f"[{page.entries}"
        while page.has_more:
            page = await self._page(request, environment, page.last_name, PAGE_SIZE)
            if page.entries:
                yield f",{page.entries}"
        yield "]"


def _next(request: Request, last_name: str, limit: int) -> dict[str, str]:
    query = urlencode({"limit": limit, "after": last_name})
    return {"Link": f'<{request.url.path}?{query}>; rel="next"'}

"""Lists as bare JSON arrays, in the order of names: a join of stored texts, streamed page by page."""

from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any
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


class Listing:
    """One kind of resource, listed by one statement."""

    def __init__(
        self,
        backend: Backend,
        statement: Callable[..., AsyncIterator[asyncpg.Record]],
        spelled: Callable[[Request, str], str] = lambda _, summary: summary,
    ) -> None:
        """`spelled` says how an entry differs from what is stored, by who asks."""
        self._backend = backend
        self._statement = statement
        self._spelled = spelled

    async def answer(self, request: Request, environment: str, limit: int | None, after: str) -> Response:
        """Return one page when there is a limit or one page holds all; else a stream of all pages."""
        rows = await self._page(environment, after, (limit or PAGE_SIZE) + 1)
        size = limit or PAGE_SIZE
        if len(rows) <= size:
            return json_response(self._array(request, rows))
        if limit:
            headers = _next(request, rows[limit - 1]["name"], limit)
            return json_response(self._array(request, rows[:limit]), headers=headers)
        return StreamingResponse(self._stream(request, environment, rows[:size]), media_type=JSON)

    async def _page(self, environment: str, after: str, size: int) -> list[asyncpg.Record]:
        patience = Patience(TURN_WITHIN_S)
        async with (
            self._backend.list_turns.turn(environment, patience, TURN_WITHIN_S),
            reading(self._backend.pool) as connection,
        ):
            rows = self._statement(connection, environment=environment, after=after, page_size=size)
            return [row async for row in rows]

    async def _stream(self, request: Request, environment: str, rows: list[asyncpg.Record]) -> AsyncIterator[str]:
        yield "["
        separator = ""
        while rows:
            yield separator + self._joined(request, rows)
            separator = ","
            rows = await self._page(environment, rows[-1]["name"], PAGE_SIZE)
        yield "]"

    def _array(self, request: Request, rows: list[asyncpg.Record]) -> str:
        return f"[{self._joined(request, rows)}]"

    def _joined(self, request: Request, rows: list[asyncpg.Record]) -> str:
        return ",".join(self._spelled(request, row["summary"]) for row in rows)


def _next(request: Request, last_name: Any, limit: int) -> dict[str, str]:
    query = urlencode({"limit": limit, "after": last_name})
    return {"Link": f'<{request.url.path}?{query}>; rel="next"'}

"""Lists as bare JSON arrays, in the order of names: a join of stored texts, streamed page by page."""

from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any
from urllib.parse import urlencode

import asyncpg
from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from services.kit.postgres import Pool
from services.kit.web import JSON, json_response
from services.query.reads import reading

PAGE_SIZE = 1_000
BEFORE_ALL = ""

Limit = Annotated[int | None, Query(ge=1, le=PAGE_SIZE, description="At most so many; all when left out")]
After = Annotated[
    str, Query(description="Only names behind this one, in byte order", max_length=255, pattern=r"^[^\x00]*$")
]


def _summary(row: asyncpg.Record) -> str:
    return str(row["summary"])


class Listing:
    """One kind of resource, listed by one statement."""

    def __init__(
        self,
        pool: Pool,
        statement: Callable[..., AsyncIterator[asyncpg.Record]],
        entry: Callable[[asyncpg.Record], str] = _summary,
    ) -> None:
        self._pool = pool
        self._statement = statement
        self._entry = entry

    async def answer(self, request: Request, environment: str, limit: int | None, after: str) -> Response:
        """Return one page when there is a limit or one page holds all; else a stream of all pages."""
        rows = await self._page(environment, after, (limit or PAGE_SIZE) + 1)
        size = limit or PAGE_SIZE
        if len(rows) <= size:
            return json_response(self._array(rows))
        if limit:
            return json_response(self._array(rows[:limit]), headers=_next(request, rows[limit - 1]["name"], limit))
        return StreamingResponse(self._stream(environment, rows[:size]), media_type=JSON)

    def _array(self, rows: list[asyncpg.Record]) -> str:
        return f"[{','.join(self._entry(row) for row in rows)}]"

    async def _page(self, environment: str, after: str, size: int) -> list[asyncpg.Record]:
        async with reading(self._pool) as connection:
            rows = self._statement(connection, environment=environment, after=after, page_size=size)
            return [row async for row in rows]

    async def _stream(self, environment: str, rows: list[asyncpg.Record]) -> AsyncIterator[str]:
        yield "["
        separator = ""
        while rows:
            yield separator + ",".join(self._entry(row) for row in rows)
            separator = ","
            rows = await self._page(environment, rows[-1]["name"], PAGE_SIZE)
        yield "]"


def _next(request: Request, last_name: Any, limit: int) -> dict[str, str]:
    query = urlencode({"limit": limit, "after": last_name})
    return {"Link": f'<{request.url.path}?{query}>; rel="next"'}

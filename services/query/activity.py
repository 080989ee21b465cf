"""Telling what the monitor knows of an environment: it writes its numbers to Postgres, and here they are added up."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any

import pydantic_core
from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from services.kit.backend import Backend
from services.kit.postgres import Connection
from services.kit.reading import reading
from services.kit.statements import load_queries
from services.kit.web import Asker, json_response
from services.query import contract
from services.query.activity_sums import Row, activity_of
from services.query.paging import demand_known

STALE_AFTER = timedelta(seconds=15)
PARAMETERS = ("minutes",)
MAX_MINUTES = 1440
# So many are added up at a time, each in a thread: a day of a busy environment takes a tenth of a second.
AT_ONCE = 2

Minutes = Annotated[int, Query(ge=1, le=MAX_MINUTES, description="Count the results of so many minutes")]

sql = load_queries(__file__)


def activity_router(backend: Backend) -> APIRouter:
    """Return the route that tells how commands fare."""
    router = APIRouter(tags=["activity"])
    places = asyncio.Semaphore(AT_ONCE)

    @router.get("/activity", **contract.GET_ACTIVITY)
    async def get_activity(request: Request, asker: Asker, minutes: Minutes = 60) -> Response:
        """Get how long commands take, how many are refused and why, which are overdue, and how far behind each part is.

        The numbers are the monitor's: they say as of when, and are `stale` while it is stopped or behind.
        """
        demand_known(request, PARAMETERS)
        async with reading(backend.pool) as connection:
            row = await sql.read_activity(connection, environment=asker.environment)
            counted = await _minutes(connection, asker.environment, row, minutes)
            parts = [each async for each in sql.read_parts(connection, partition=row and row["partition"])]
        async with places:
            return json_response(await asyncio.to_thread(_told, row, counted, parts, minutes))

    return router


async def _minutes(connection: Connection, environment: str, row: Row | None, minutes: int) -> list[Row]:
    if row is None or row["partition"] is None:
        return []
    found = sql.read_minutes(
        connection,
        environment=environment,
        partition=row["partition"],
        newest=int(row["as_of"].timestamp() // 60) if row["as_of"] else None,
        minutes_back=minutes,
        most=MAX_MINUTES,
    )
    return [each async for each in found]


def _told(row: Row | None, counted: Sequence[Row], parts: Sequence[Row], minutes: int) -> Any:
    is_stale = row is None or row["as_of"] is None or row["now"] - row["as_of"] > STALE_AFTER
    return pydantic_core.to_json(activity_of(row, counted, parts, minutes, is_stale=is_stale))

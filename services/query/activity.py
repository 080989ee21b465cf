"""Telling what the monitor knows of an environment: it writes its numbers to Postgres, and here they are added up."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import asyncpg
import pydantic_core
from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from events.envelope import timestamp
from services.kit.activity_shapes import Activity, Latency, MinuteActivity, TypeActivity
from services.kit.backend import Backend
from services.kit.latency import Histogram, merged, percentile_ms
from services.kit.postgres import load_queries
from services.kit.reading import reading
from services.kit.web import Asker, json_response
from services.query import contract
from services.query.paging import demand_known

STALE_AFTER = timedelta(seconds=15)
PARAMETERS = ("minutes",)
MAX_MINUTES = 1440
NOTHING: dict[str, Any] = {"open": 0, "overdue": 0, "overdue_commands": [], "minutes": {}}

Minutes = Annotated[int, Query(ge=1, le=MAX_MINUTES, description="Count the results of so many minutes")]
# Per command type: how many results, the refused ones by code, and the histogram.
Tally = tuple[int, dict[str, int], Histogram]

sql = load_queries(__file__)


def activity_router(backend: Backend) -> APIRouter:
    """Return the route that tells how commands fare."""
    router = APIRouter(tags=["activity"])

    @router.get("/activity", **contract.GET_ACTIVITY)
    async def get_activity(request: Request, asker: Asker, minutes: Minutes = 60) -> Response:
        """Get how long commands take, how many are refused and why, which are overdue, and how far behind each part is.

        The numbers are the monitor's: they say as of when, and are `stale` while it is stopped or behind.
        """
        demand_known(request, PARAMETERS)
        async with reading(backend.pool) as connection:
            row = await sql.read_activity(connection, environment=asker.environment)
            parts = [each async for each in sql.read_parts(connection, partition=row and row["partition"])]
        return json_response(pydantic_core.to_json(activity_of(row, parts, minutes)))

    return router


def activity_of(row: Mapping[str, Any] | None, parts: Iterable[asyncpg.Record], minutes: int) -> Activity:
    """Return what is told of an environment. Without a row nothing was ever measured."""
    as_of: datetime | None = row["as_of"] if row else None
    document = json.loads(row["document"]) if row and row["document"] else NOTHING
    return {
        "as_of": timestamp(as_of) if as_of else None,
        "stale": row is None or as_of is None or row["now"] - as_of > STALE_AFTER,
        "minutes": minutes,
        "open": document["open"],
        "overdue": document["overdue"],
        "overdue_commands": [
            {
                "command_id": each["command_id"],
                "command_type": each["command_type"],
                "asked_at": _moment(each["asked_ms"] / 1000),
            }
            for each in document["overdue_commands"]
        ],
        "types": _types(document["minutes"], as_of, minutes),
        "parts": [
            {"part": each["part"], "behind": each["behind"], "measured_at": timestamp(each["measured_at"])}
            for each in parts
        ],
    }


def _types(told: Mapping[str, Any], as_of: datetime | None, minutes: int) -> list[TypeActivity]:
    newest = int(as_of.timestamp() // 60) if as_of else max(map(int, told), default=0)
    by_type: dict[str, dict[int, Tally]] = {}
    for minute, tallies in told.items():
        if int(minute) > newest - minutes:
            for name, (results, refused, latencies) in tallies.items():
                histogram = {int(bucket): number for bucket, number in latencies.items()}
                by_type.setdefault(name, {})[int(minute)] = (results, refused, histogram)
    return [_type(name, by_minute) for name, by_minute in sorted(by_type.items())]


def _type(name: str, by_minute: Mapping[int, Tally]) -> TypeActivity:
    refused: dict[str, int] = {}
    for _, codes, _ in by_minute.values():
        for code, number in codes.items():
            refused[code] = refused.get(code, 0) + number
    return {
        "command_type": name,
        "results": sum(results for results, _, _ in by_minute.values()),
        "refused": dict(sorted(refused.items())),
        "latency_ms": _latency(merged(histogram for _, _, histogram in by_minute.values())),
        "per_minute": [_minute(minute, tally) for minute, tally in sorted(by_minute.items())],
    }


def _minute(minute: int, tally: Tally) -> MinuteActivity:
    results, refused, histogram = tally
    return {
        "minute": _moment(minute * 60),
        "results": results,
        "refused": sum(refused.values()),
        "latency_ms": _latency(histogram),
    }


def _latency(histogram: Histogram) -> Latency:
    return {
        "p50": percentile_ms(histogram, 0.5),
        "p95": percentile_ms(histogram, 0.95),
        "p99": percentile_ms(histogram, 0.99),
    }


def _moment(seconds: float) -> str:
    return timestamp(datetime.fromtimestamp(seconds, UTC))

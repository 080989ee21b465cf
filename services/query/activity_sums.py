"""Adds up what the monitor wrote of an environment. It may be a day's worth: this runs in a thread."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pydantic_core

from events.envelope import timestamp
from services.kit.activity_shapes import Activity, Latency, MinuteActivity, TypeActivity
from services.kit.latency import SHARES, percentile_ms, summed

NOTHING: dict[str, Any] = {"open": 0, "overdue": 0, "overdue_commands": []}

Row = Mapping[str, Any]
# Of a command type in a minute: how many results, the refused ones by code, percentiles, and the packed histogram.
Tally = tuple[int, dict[str, int], Sequence[float | None], list[int]]


def activity_of(
    row: Row | None, counted: Iterable[Row], parts: Iterable[Row], minutes: int, *, is_stale: bool
) -> Activity:
    """Return what is told of an environment. Without a row nothing was ever measured."""
    as_of: datetime | None = row["as_of"] if row else None
    document = pydantic_core.from_json(row["document"]) if row and row["document"] else NOTHING
    return {
        "as_of": timestamp(as_of) if as_of else None,
        "stale": is_stale,
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
        "types": _types(counted),
        "parts": [
            {"part": each["part"], "behind": each["behind"], "measured_at": timestamp(each["measured_at"])}
            for each in parts
        ],
    }


def _types(counted: Iterable[Row]) -> list[TypeActivity]:
    by_type: dict[str, list[tuple[str, Tally]]] = {}
    for row in counted:
        minute = _moment(row["minute"] * 60)
        for name, tally in pydantic_core.from_json(row["tallies"]).items():
            by_type.setdefault(name, []).append((minute, tally))
    return [_type(name, by_minute) for name, by_minute in sorted(by_type.items())]


def _type(name: str, by_minute: Sequence[tuple[str, Tally]]) -> TypeActivity:
    refused: dict[str, int] = {}
    for _, (_, codes, _, _) in by_minute:
        for code, number in codes.items():
            refused[code] = refused.get(code, 0) + number
    latencies = summed(packed for _, (_, _, _, packed) in by_minute)
    return {
        "command_type": name,
        "results": sum(results for _, (results, _, _, _) in by_minute),
        "refused": dict(sorted(refused.items())),
        "latency_ms": _latency([percentile_ms(latencies, share) for share in SHARES]),
        "per_minute": [_minute(minute, tally) for minute, tally in by_minute],
    }


def _minute(minute: str, tally: Tally) -> MinuteActivity:
    results, refused, latencies, _ = tally
    return {"minute": minute, "results": results, "refused": sum(refused.values()), "latency_ms": _latency(latencies)}


def _latency(percentiles: Sequence[float | None]) -> Latency:
    p50, p95, p99 = percentiles
    return {"p50": p50, "p95": p95, "p99": p99}


def _moment(seconds: float) -> str:
    return timestamp(datetime.fromtimestamp(seconds, UTC))

"""Adds up what the monitor wrote of an environment. It may be a day's worth: this runs in a thread."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pydantic_core

from events.envelope import timestamp
from services.kit.activity_shapes import Activity, Latency, MinuteActivity, TypeActivity
from services.kit.latency import SHARES, Sum, percentile_ms

NOTHING: dict[str, Any] = {"open": 0, "overdue": 0, "overdue_commands": []}

Row = Mapping[str, Any]


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


class _Type:
    """The sums of a command type, minute by minute; a day's worth of histograms is not kept for that."""

    def __init__(self) -> None:
        self._results = 0
        self._refused: dict[str, int] = {}
        self._latencies = Sum()
        self._per_minute: list[MinuteActivity] = []

    def add(self, minute: str, results: int, refused: Mapping[str, int], latency: Latency, packed: list[int]) -> None:
        """Add what was told of a minute."""
        self._results += results
        for code, number in refused.items():
            self._refused[code] = self._refused.get(code, 0) + number
        self._latencies.add(packed)
        self._per_minute.append(
            {"minute": minute, "results": results, "refused": sum(refused.values()), "latency_ms": latency}
        )

    def told(self, name: str) -> TypeActivity:
        """Return the sums."""
        latencies = self._latencies.histogram()
        return {
            "command_type": name,
            "results": self._results,
            "refused": dict(sorted(self._refused.items())),
            "latency_ms": _latency([percentile_ms(latencies, share) for share in SHARES]),
            "per_minute": self._per_minute,
        }


def _types(counted: Iterable[Row]) -> list[TypeActivity]:
    types: dict[str, _Type] = {}
    for row in counted:
        minute = _moment(row["minute"] * 60)
        for name, (results, refused, percentiles, packed) in pydantic_core.from_json(row["tallies"]).items():
            types.setdefault(name, _Type()).add(minute, results, refused, _latency(percentiles), packed)
    return [each.told(name) for name, each in sorted(types.items())]


def _latency(percentiles: Sequence[float | None]) -> Latency:
    p50, p95, p99 = percentiles
    return {"p50": p50, "p95": p95, "p99": p99}


def _moment(seconds: float) -> str:
    return timestamp(datetime.fromtimestamp(seconds, UTC))

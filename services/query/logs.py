"""Logs as clients ask for them (source: sdk-contract 5 to 7)."""

from collections.abc import Iterable
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field


class LogRange(BaseModel):
    """Which logs are wanted: a range of epoch milliseconds, and how many at most."""

    model_config = ConfigDict(
        strict=True, json_schema_extra={"example": {"from": 1769860800000, "to": 1769864400000, "limit": 100}}
    )

    start: float | None = Field(None, alias="from")
    end: float | None = Field(None, alias="to")
    limit: int | None = Field(None, ge=1)


class LogLine(BaseModel):
    """One line of a log."""

    timestamp: str
    message: str


def wanted_lines(lines: Iterable[LogLine], wanted: LogRange) -> list[LogLine]:
    """Return the first lines of the range, in their order."""
    return [line for line in lines if _is_wanted(line, wanted)][: wanted.limit]


def _is_wanted(line: LogLine, wanted: LogRange) -> bool:
    at_ms = datetime.fromisoformat(line.timestamp).timestamp() * 1000
    return (wanted.start is None or wanted.start <= at_ms) and (wanted.end is None or at_ms <= wanted.end)

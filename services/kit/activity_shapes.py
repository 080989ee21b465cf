"""The shape of an environment's activity, for the OpenAPI document (as services/kit/shapes.py)."""

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from events.resources import Timestamp as Time

_Milliseconds = Annotated[float | None, Field(description="None when there were no results")]


class Latency(TypedDict):
    """How long commands took, from when they were asked for: never below the truth, and at most 9.1 % above it."""

    p50: _Milliseconds
    p95: _Milliseconds
    p99: _Milliseconds


class MinuteActivity(TypedDict):
    """The results of one minute."""

    minute: Time
    results: int
    refused: int
    latency_ms: Latency


class TypeActivity(TypedDict):
    """The results of one command type; `refused` by code."""

    command_type: str
    results: int
    refused: dict[str, int]
    latency_ms: Latency
    per_minute: list[MinuteActivity]


class OverdueCommand(TypedDict):
    """A command that has had no result for too long."""

    command_id: str
    command_type: str
    asked_at: Time


class PartActivity(TypedDict):
    """How many records a part had not worked off, where this environment lives."""

    part: str
    behind: int
    measured_at: Time


class Activity(TypedDict):
    """What the monitor knew of the environment `as_of` a moment."""

    as_of: Annotated[Time | None, Field(description="All that was published by then is counted; none: never measured")]
    stale: Annotated[bool, Field(description="That moment is long ago: the monitor is stopped, or behind")]
    minutes: Annotated[int, Field(description="How many minutes back the results are counted")]
    open: Annotated[int, Field(description="Commands without a result")]
    overdue: Annotated[int, Field(description="Commands without a result for too long")]
    overdue_commands: Annotated[list[OverdueCommand], Field(description="The first hundred of them")]
    types: list[TypeActivity]
    parts: list[PartActivity]

"""The shapes of what is told of commands and of refusals, for the OpenAPI document (as services/kit/shapes.py)."""

from typing import Annotated, Literal

from pydantic import Field, JsonValue
from typing_extensions import TypedDict

from events.resources import Timestamp as Time


class Accepted(TypedDict):
    """A command that is on its way; its result can be asked for."""

    command_id: str
    status: Literal["accepted"]
    message: str


class Unknown(TypedDict):
    """A command without a result: on its way, never sent, or no longer kept."""

    command_id: str
    status: Literal["unknown"]
    message: str


class _Told(TypedDict):
    command_id: str
    type: str
    subject: str
    time: Time
    sequence: Annotated[int | None, Field(description="Which event of the environment it is; none for a refusal")]
    traceparent: Annotated[str | None, Field(description="The trace that it belongs to (W3C traceparent)")]


class Succeeded(_Told):
    """A command that took effect; `result` is the event's data, by the schema of its type."""

    status: Literal["succeeded"]
    result: dict[str, JsonValue]


class Refusal(TypedDict):
    """Why a command had no effect."""

    code: str
    message: str
    details: dict[str, JsonValue]


class Rejected(_Told):
    """A command that had no effect, and why."""

    status: Literal["rejected"]
    command_type: str
    refusal: Refusal


class Problem(TypedDict):
    """Why a request was refused: what, why and what to do (RFC 9457, with the keys of craft-ai-sdk)."""

    name: Annotated[str, Field(description="The stable code")]
    message: str
    request_id: str
    additional_data: dict[str, JsonValue]
    type: str
    title: str
    status: int
    detail: str
    instance: str

"""The shapes of histories, lists of commands and dead letters, for the OpenAPI document (as services/kit/shapes.py)."""

from typing import Annotated, Literal

from pydantic import Field, JsonValue
from typing_extensions import TypedDict

from events.resources import Timestamp as Time
from services.kit.command_shapes import Refusal

Source = Annotated[str, Field(description="By which door the command came: `/pipeloom/http`, or what a producer says")]
Trace = Annotated[str | None, Field(description="The trace that the command belongs to (W3C traceparent)")]
Resource = Annotated[dict[str, JsonValue] | None, Field(description="The resource, as events carry it")]


class _Asked(TypedDict):
    command_id: str
    command_type: Annotated[str | None, Field(description="What was asked")]
    command_source: Source
    actor: Annotated[str, Field(description="Who asked: a user's id, or what a producer says")]
    status: Literal["succeeded", "rejected"]
    time: Annotated[Time, Field(description="When it was asked")]
    sequence: Annotated[int, Field(description="Which event of the environment it is")]
    type: Annotated[str, Field(description="The type of the event")]
    traceparent: Trace
    refusal: Annotated[Refusal | None, Field(description="Why it was refused; null for what was not")]


class HistoryEntry(_Asked):
    """Something that happened to a resource, or was refused about it."""

    command_subject: Annotated[str, Field(description="What the command was about; another one that took this along")]
    before: Resource
    after: Resource


class CommandEntry(_Asked):
    """A command that was decided."""

    subject: str
    decided_at: Annotated[Time | None, Field(description="When it was decided")]


class DeadLetterEntry(TypedDict):
    """A record of the commands topic that was no command, and what became of it since."""

    id: Annotated[str, Field(description="Where it stood on the commands topic: its partition and its offset")]
    status: Annotated[
        Literal["open", "replayed", "discarded"],
        Field(description="Replayed: that command took effect, or has no result yet; a refused one leaves it open"),
    ]
    code: str
    message: str
    received_at: Annotated[Time, Field(description="The record's own timestamp")]
    command_id: Annotated[str | None, Field(description="The id that it gave itself, if it could be read")]
    environment: str | None
    source: Annotated[str | None, Field(description="Its header ce_source: who sent it; null if unreadable")]
    type: Annotated[str | None, Field(description="Its header ce_type: what it said to be; null if unreadable")]
    value_bytes: int
    settled_at: Annotated[Time | None, Field(description="When it was replayed or discarded")]
    settled_by: Annotated[str | None, Field(description="Who did that")]
    replayed_as: Annotated[str | None, Field(description="The command of its last replay")]


class Bytes(TypedDict):
    """Bytes as base64, and as text where they are UTF-8."""

    text: str | None
    base64: str


class Header(TypedDict):
    """A header of a record; bytes that are not UTF-8 stand as escapes."""

    name: str
    value: str


class DeadLetterPage(DeadLetterEntry):
    """A dead letter with all that is kept of the record."""

    key: Bytes | None
    value: Bytes | None
    headers: list[Header]

"""Reads what the monitor needs of a record, and says of one that is none of ours why."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pydantic_core import from_json

from events.codec import Headers, decode_event, read_attributes, read_command_id, read_environment
from events.commands import COMMANDS
from events.envelope import Event, parse_type
from events.names import is_environment_id
from events.outcomes import COMMAND_OF, is_refusal
from events.refusals import Code, Refused
from events.structured import attributes_and_data
from events.upcasting import present

UNKNOWN = "unknown"
CODES = frozenset(code.value for code in Code)


class UnreadableError(ValueError):
    """A record that is none of ours; the message is the reason, one of a few."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A command that was asked for, as far as it matters here."""

    environment: str
    command_id: str
    type: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Answered:
    """A result: whose, when, and to what.

    `position` is its command's offset, `sequence` its place in the environment's history (none for the refusal of a
    stray), `refused` the code of a refusal.
    """

    environment: str
    position: int
    sequence: int | None
    type: str
    refused: str | None
    asked_ms: int
    at_ms: int


def read_asked(headers: Headers, value: bytes | None, at_ms: int) -> Asked:
    """Return the command of a record. Raises UnreadableError where its result could not be told from others."""
    try:
        attributes, _ = attributes_and_data(headers, value)
    except Refused:
        attributes = read_attributes(headers)  # as the composer names the command that it refuses
    environment, command_id = read_environment(attributes), read_command_id(attributes)
    if attributes.get("specversion") != "1.0":
        raise UnreadableError("no CloudEvent")
    if command_id is None:
        raise UnreadableError("no command id")
    if environment is None:
        raise UnreadableError("no environment")
    return Asked(environment, str(command_id), _command_type(attributes), at_ms)


def read_answered(partition: int, headers: Headers, value: bytes | None, at_ms: int) -> Answered | None:
    """Return the result of a record, None for an event that is not its command's last. Raises UnreadableError."""
    try:
        event = present(decode_event(partition, headers, value))
        return _answered(event, at_ms) if event.is_result else None
    except (KeyError, ValueError, TypeError, OverflowError) as error:
        raise UnreadableError("no event of ours") from error


def _answered(event: Event, at_ms: int) -> Answered:
    if not is_environment_id(event.environment):
        raise ValueError(f"no environment: {event.environment}")
    if is_refusal(event.type):
        command_type, refused = _of_rejection(event.data)
    else:
        command_type, refused = COMMAND_OF.get(event.type, UNKNOWN), None
    return Answered(
        environment=event.environment,
        position=event.position.offset,
        sequence=event.sequence,
        type=command_type,
        refused=refused,
        asked_ms=int(datetime.fromisoformat(event.time).timestamp() * 1000),
        at_ms=at_ms,
    )


def _of_rejection(data: str) -> tuple[str, str]:
    told = from_json(data)
    command_type, code = told["command_type"], told["code"]
    return (command_type if command_type in COMMANDS else UNKNOWN, code if code in CODES else UNKNOWN)


def _command_type(attributes: Mapping[str, str]) -> str:
    name_and_version = parse_type(attributes.get("type", ""))
    return name_and_version[0] if name_and_version and name_and_version[0] in COMMANDS else UNKNOWN

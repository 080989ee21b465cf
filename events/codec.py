"""CloudEvents 1.0 in Kafka's binary mode: attributes in `ce_*` headers, JSON data in the value."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import pydantic_core
from pydantic import ValidationError

from events.commands import COMMANDS, CommandData
from events.envelope import Command, Event, Position, parse_type, schema_uri, timestamp, type_attribute
from events.names import has_control_characters, is_environment_id
from events.refusals import Code, Refused
from events.upcasting import is_readable, upcast
from events.validation import refusal_of

Data = TypeVar("Data", bound=CommandData)
Headers = Sequence[tuple[str, bytes]]
# A subject holds a name of up to 255 characters, each of up to four bytes.
MAX_ATTRIBUTE_LENGTH = 2048
OF_EVENTS = ("type", "position", "environment", "subject", "commandid", "commandsource", "result", "actor", "time")
MAX_DEPTH = 100


@dataclass(frozen=True, slots=True)
class Record:
    """What goes onto a topic: the key (environment id), the JSON value and the headers."""

    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]


def encode_command(command: Command) -> Record:
    """Return the record that asks for `command`."""
    attributes = {
        "specversion": "1.0",
        "id": str(command.id),
        "type": type_attribute(command.type, command.data.version),
        "dataschema": schema_uri("commands", command.type, command.data.version),
        "source": command.source,
        "subject": command.data.subject(),
        "time": command.time,
        "environment": command.environment,
        "actor": command.actor,
        "traceparent": command.traceparent,
    }
    return _record(command.environment, command.data.model_dump_json(), attributes)


def encode_event(event: Event) -> Record:
    """Return the record that publishes `event`."""
    return _record(event.environment, event.data, event_attributes(event))


def event_attributes(event: Event) -> dict[str, str | None]:
    """Return the CloudEvents attributes of `event` as texts; None stands for one that it does not have."""
    return {
        "specversion": "1.0",
        "id": event.id,
        "type": type_attribute(event.type, event.version),
        "dataschema": schema_uri("events", event.type, event.version),
        "source": f"/pipeloom/environments/{event.environment}",
        "subject": event.subject,
        "time": event.time,
        "environment": event.environment,
        "actor": event.actor,
        "commandid": str(event.command_id),
        "commandsource": event.command_source,
        "sequence": None if event.sequence is None else str(event.sequence),
        "position": str(event.position),
        "result": "true" if event.is_result else "false",
        "traceparent": event.traceparent,
    }


def _record(environment: str, value: str, attributes: Mapping[str, str | None]) -> Record:
    headers = [(f"ce_{name}", text.encode()) for name, text in attributes.items() if text is not None]
    return Record(environment.encode(), value.encode(), [("content-type", b"application/json"), *headers])


def read_attributes(headers: Headers) -> dict[str, str]:
    """Return the CloudEvents attributes among `headers`; those that are no clean UTF-8 text are left out."""
    attributes = {}
    for name, raw in headers:
        text = readable(raw) if name.startswith("ce_") else None
        if text is not None:
            attributes[name.removeprefix("ce_")] = text
    return attributes


def readable(raw: bytes | None) -> str | None:
    """Return an attribute's text, or None when it is too long or no clean UTF-8."""
    if raw is None or len(raw) > MAX_ATTRIBUTE_LENGTH:
        return None
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return None
    return None if has_control_characters(text) else text


def read_command_id(attributes: Mapping[str, str]) -> UUID | None:
    """Return the command's id, or None when there is none or it is not a UUID."""
    try:
        return UUID(attributes["id"])
    except (KeyError, ValueError):
        return None


def read_environment(attributes: Mapping[str, str]) -> str | None:
    """Return the environment's id, or None when there is none or it cannot be one."""
    environment = attributes.get("environment", "")
    return environment if is_environment_id(environment) else None


def decode_command(attributes: Mapping[str, str], value: bytes | None, received: datetime) -> Command:
    """Return the command of a record that arrived on the commands topic.

    `received` is the record's own timestamp; it stands in for a missing `ce_time`.
    Raises Refused with the code that the record's CommandRejected or dead letter carries.
    """
    command_id = read_command_id(attributes)
    environment = read_environment(attributes)
    if command_id is None:
        raise _bad_attribute(attributes, "id", "a UUID")
    if environment is None:
        raise _bad_attribute(attributes, "environment", "an environment id (a-z, 0-9 and hyphens)")
    if attributes.get("specversion") != "1.0":
        raise _bad_attribute(attributes, "specversion", "1.0")
    if not attributes.get("source"):
        raise _bad_attribute(attributes, "source", "a URI reference that tells the producer")
    model, version = _model_of(attributes)
    data, written = _read(model, version, value)
    return Command(
        id=command_id,
        environment=environment,
        actor=attributes.get("actor", "unknown"),
        source=attributes["source"],
        time=_time(attributes, received),
        data=data,
        traceparent=attributes.get("traceparent"),
        written=written,
    )


def read_json(text: bytes) -> Any:
    """Return a JSON value that can be written and read again. Raises Refused invalid_json.

    Its depth is bounded well under the parser's own limit, since events carry it deeper than commands do.
    """
    try:
        value = pydantic_core.from_json(text, allow_inf_nan=False)
    except ValueError as error:
        raise Refused(Code.INVALID_JSON, f"This is not JSON: {error}.") from error
    check_depth(value)
    return value


def check_depth(value: Any) -> None:
    """Raise Refused invalid_json when a JSON value is nested deeper than MAX_DEPTH."""
    level, depth = [value], 0
    while level := [child for each in level for child in _children(each)]:
        depth += 1
        if depth > MAX_DEPTH:
            raise Refused(Code.INVALID_JSON, f"The JSON is nested more than {MAX_DEPTH} levels deep.")


def _children(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def decode_asked(attributes: Mapping[str, str], value: bytes | None) -> CommandData:
    """Return what a record asks for, whoever asks: the data of the command that `ce_type` names. Raises Refused."""
    return _read(*_model_of(attributes), value)[0]


def decode_data(model: type[Data], value: bytes | None) -> Data:
    """Return the data of a command. Raises Refused: invalid_json, invalid_name or invalid_body."""
    return _read(model, model.version, value)[0]


def _read(model: type[Data], version: int, value: bytes | None) -> tuple[Data, Data | None]:
    """Return the data of a command, and as it was written when that was in an earlier version."""
    if not value:
        raise Refused(Code.INVALID_JSON, "The record has no value; a command's data is a JSON object.")
    try:
        return upcast(model, version, read_json(value))
    except ValidationError as error:
        raise refusal_of(error) from error


def decode_event(partition: int, headers: Headers, value: bytes | None) -> Event:
    """Return the event of a record that the relay wrote, in the version in which it was written.

    Raises ValueError on any other record.
    """
    attributes = read_attributes(headers)
    if value is None:
        raise ValueError("a tombstone is no event")
    missing = [f"ce_{name}" for name in OF_EVENTS if name not in attributes]
    if missing:
        raise ValueError(f"it lacks headers that every event of ours has: {', '.join(missing)}")
    name_and_version = parse_type(attributes["type"])
    if name_and_version is None:
        raise ValueError(f"not an event type of ours: {attributes['type']}")
    sequence = attributes.get("sequence")
    return Event(
        partition=partition,
        position=Position.parse(attributes["position"]),
        environment=attributes["environment"],
        sequence=None if sequence is None else int(sequence),
        type=name_and_version[0],
        version=name_and_version[1],
        subject=attributes["subject"],
        command_id=UUID(attributes["commandid"]),
        command_source=attributes["commandsource"],
        is_result=attributes["result"] == "true",
        actor=attributes["actor"],
        time=attributes["time"],
        data=value.decode(),
        traceparent=attributes.get("traceparent"),
    )


def _model_of(attributes: Mapping[str, str]) -> tuple[type[CommandData], int]:
    """Return the model of the command's type, and the version in which the data is."""
    name_and_version = parse_type(attributes.get("type", ""))
    if name_and_version is None or name_and_version[0] not in COMMANDS:
        if "type" not in attributes:
            raise _bad_attribute(attributes, "type", "for example pipeloom.PipelineRequested.v1")
        raise Refused(
            Code.UNKNOWN_TYPE,
            f"There is no command type '{attributes['type']}'; the known ones are {', '.join(COMMANDS)}, "
            "written as pipeloom.NAME.v1.",
        )
    name, version = name_and_version
    if not is_readable(name, version, COMMANDS[name].version):
        raise Refused(
            Code.UNKNOWN_VERSION, f"Version {version} of {name} is not known; send version {COMMANDS[name].version}."
        )
    return COMMANDS[name], version


def _time(attributes: Mapping[str, str], received: datetime) -> str:
    if "time" not in attributes:
        return timestamp(received)
    try:
        time = timestamp(datetime.fromisoformat(attributes["time"]))
    except (ValueError, OverflowError):
        time = ""
    # What Postgres cannot tell from its infinities is no moment at which anybody asked.
    if not "1970" <= time < "9999":
        raise _bad_attribute(attributes, "time", "an RFC 3339 time with its zone, of the years 1970 to 9998")
    return time


def _bad_attribute(attributes: Mapping[str, str], name: str, wanted: str) -> Refused:
    if name not in attributes:
        return Refused(
            Code.MISSING_ATTRIBUTE, f"The header ce_{name} is missing or not readable; it must be {wanted}.", field=name
        )
    return Refused(
        Code.INVALID_ATTRIBUTE, f"The header ce_{name} is '{attributes[name]}'; it must be {wanted}.", field=name
    )

"""What surrounds the data: who asked, in which environment, when, and where a result stands in the log."""

import hashlib
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from uuid import UUID

from events.commands import CommandData

_POSITION = re.compile(r"([0-9]{1,19})\.([0-9]{1,9})")
_TYPE = re.compile(r"pipeloom\.([A-Za-z]+)\.v([0-9]{1,4})")


def type_attribute(name: str, version: int) -> str:
    """Return the CloudEvents type, for example `pipeloom.PipelineRequested.v1`."""
    return f"pipeloom.{name}.v{version}"


def parse_type(attribute: str) -> tuple[str, int] | None:
    """Return the name and the version of a CloudEvents type, or None when it is not one of ours."""
    match = _TYPE.fullmatch(attribute)
    return (match[1], int(match[2])) if match else None


@lru_cache(maxsize=1024)
def schema_uri(folder: str, name: str, version: int) -> str:
    """Return the `dataschema` of a type: the `$id` of its JSON Schema.

    Its path is where every HTTP service of an installation serves the schema.
    """
    return f"pipeloom:/schemas/{folder}/{name}.v{version}.json"


def timestamp(moment: datetime) -> str:
    """Return `moment` as UTC text with milliseconds and Z. Raises ValueError without a time zone."""
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone")
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class Command:
    """A command that was decoded and can be decided."""

    id: UUID
    environment: str
    actor: str
    source: str
    time: str
    data: CommandData
    traceparent: str | None = None
    # The data in the words of the earlier version in which it was asked.
    written: CommandData | None = None

    @property
    def type(self) -> str:
        return type(self.data).__name__

    def fingerprint(self) -> bytes:
        """Return a digest of what is asked: a repeat has the same one, another body under the same id has not.

        It is that of the version in which it was asked, and of what differs from the defaults: the same record has
        the same one after an upgrade that raised its type's version or gave it an optional field.
        """
        return fingerprint_of(self.type, self.written or self.data)


def fingerprint_of(name: str, data: CommandData) -> bytes:
    """Return the fingerprint of a command of the type `name` that asks for `data`."""
    fields = data.model_dump(mode="json", exclude=data.derived, exclude_defaults=True)
    asked = json.dumps(fields, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(f"{type_attribute(name, data.version)}\n{asked}".encode()).digest()


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in one partition of the event log: the command's offset, and the event's index under it."""

    offset: int
    index: int

    def __str__(self) -> str:
        return f"{self.offset}.{self.index}"

    @classmethod
    def parse(cls, text: str) -> "Position":
        """Read what `str` wrote. Raises ValueError on anything else."""
        match = _POSITION.fullmatch(text)
        if match is None:
            raise ValueError(f"not a position in the log: {text!r}")
        return cls(int(match[1]), int(match[2]))


@dataclass(frozen=True, slots=True)
class Event:
    """A result event as it is logged and published.

    `sequence` is its place in the environment's history, from 1 without gaps; None for the refusal of a record that
    was no command of its environment (misrouted, unknown environment). `data` is JSON text.
    """

    partition: int
    position: Position
    environment: str
    sequence: int | None
    type: str
    version: int
    subject: str
    command_id: UUID
    command_source: str
    is_result: bool
    actor: str
    time: str
    data: str = field(repr=False)
    traceparent: str | None = None

    @property
    def id(self) -> str:
        """The event's id, derived from the command, so that every replay comes to the same one.

        The refusal of a stray is named by its record too: the id that it claims may be another command's.
        """
        if self.sequence is None:
            return f"{self.command_id}.stray-{self.partition}-{self.position.offset}"
        return f"{self.command_id}.{self.position.index}"

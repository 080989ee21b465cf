"""Tells commands from records that cannot be decoded or believed."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from events.codec import decode_command, read_attributes, read_command_id, read_environment
from events.envelope import Command, parse_type
from events.names import MAX_NAME_LENGTH, is_environment_id
from events.refusals import Code, Refused
from events.structured import attributes_and_data
from services.kit.partitions import partition_of


@dataclass(frozen=True, slots=True)
class Received:
    """A record as it stood on the commands topic."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None = field(repr=False)
    headers: Sequence[tuple[str, bytes]]
    timestamp: datetime
    defect: str | None = None


@dataclass(frozen=True, slots=True)
class Unusable:
    """A record that is no command. `environment` owns the refusal; None when it belongs to none of this partition."""

    refusal: Refused
    environment: str | None
    claimed_environment: str | None
    command_id: UUID | None
    command_type: str
    command_subject: str
    source: str
    actor: str
    fingerprint: bytes


def take_in(record: Received, partitions: int) -> Command | Unusable:
    """Return the command that `record` holds, or why it holds none."""
    if record.defect is not None:
        refusal = Refused(Code.UNREADABLE_RECORD, record.defect)
        return _unusable(record, read_attributes(record.headers), None, refusal)
    try:
        attributes, data = attributes_and_data(record.headers, record.value)
    except Refused as refusal:
        return _unusable(record, read_attributes(record.headers), None, refusal)
    claimed = read_environment(attributes)
    owner = _owner(record, claimed, partitions)
    if claimed is not None and owner != claimed:
        return _unusable(record, attributes, None, _misrouted(record, claimed))
    try:
        return decode_command(attributes, data, record.timestamp)
    except Refused as refusal:
        return _unusable(record, attributes, owner, refusal)


def _owner(record: Received, claimed: str | None, partitions: int) -> str | None:
    """Return the environment whose key and partition this record has, if both agree with each other."""
    key = (record.key or b"").decode("utf-8", errors="replace")
    belongs = is_environment_id(key) and partition_of(key, partitions) == record.partition
    return key if belongs and claimed in {None, key} else None


def _misrouted(record: Received, claimed: str) -> Refused:
    return Refused(
        Code.MISROUTED,
        f"The record's environment is '{claimed}', but {_told(record.key)} or its partition {record.partition} is "
        "not that environment's. Use the environment id as key and Kafka's default (murmur2) partitioner.",
        partition=record.partition,
    )


def _told(key: bytes | None) -> str:
    if key is None:
        return "its missing key"
    text = key.decode("utf-8", errors="replace")
    if "\ufffd" in text or not text.isprintable():
        return "its unreadable key"
    return f"its key '{text[:MAX_NAME_LENGTH]}'"


def _unusable(record: Received, attributes: Mapping[str, str], owner: str | None, refusal: Refused) -> Unusable:
    name_and_version = parse_type(attributes.get("type", ""))
    return Unusable(
        refusal=refusal,
        environment=owner,
        claimed_environment=owner or read_environment(attributes),
        command_id=read_command_id(attributes),
        command_type=name_and_version[0] if name_and_version else attributes.get("type", "unknown"),
        command_subject=attributes.get("subject", "unknown"),
        source=attributes.get("source", "unknown"),
        actor=attributes.get("actor", "unknown"),
        fingerprint=hashlib.sha256(attributes.get("type", "").encode() + b"\n" + (record.value or b"")).digest(),
    )

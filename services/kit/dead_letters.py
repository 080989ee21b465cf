"""Dead letters: the records of the commands topic that were no commands, and what became of them since."""

import base64
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple, Self
from uuid import UUID

import asyncpg
import pydantic_core

from events.codec import Headers, readable
from events.envelope import timestamp
from events.refusals import Code, Refused
from services.kit.postgres import Connection
from services.kit.statements import load_queries

Status = Literal["open", "replayed", "discarded"]
Replay = Literal["undecided", "refused", "done"]
# An offset is below 0 when it was moved out of the way, as operators do after the loss of the commands topic.
ID_PATTERN = r"^[0-9]{1,9}--?[0-9]{1,18}$"
PLACE_PATTERN = r"^[0-9]{1,18}-[0-9]{1,9}--?[0-9]{1,18}$"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_sql = load_queries(__file__)


class LetterId(NamedTuple):
    """Where a letter stood on the commands topic, written `PARTITION-OFFSET`."""

    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.partition}-{self.offset}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what `str` wrote. Raises ValueError on anything else."""
        if not re.fullmatch(ID_PATTERN, text):
            raise ValueError(f"{text!r} is not a dead letter's id, which reads as in 3-1042")
        partition, _, offset = text.partition("-")
        return cls(int(partition), int(offset))


class Place(NamedTuple):
    """Where a page of letters ends; the next one goes on behind it, which is before it in time."""

    received_at: datetime
    id: LetterId

    def __str__(self) -> str:
        return f"{(self.received_at - _EPOCH) // timedelta(microseconds=1)}-{self.id}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what `str` wrote. Raises ValueError on anything else."""
        if not re.fullmatch(PLACE_PATTERN, text):
            raise ValueError(f"{text!r} is not where a page of dead letters ends; take it from the Link of that page")
        microseconds, _, rest = text.partition("-")
        try:
            return cls(_EPOCH + timedelta(microseconds=int(microseconds)), LetterId.parse(rest))
        except OverflowError as error:
            raise ValueError(f"{text!r} is beyond all times") from error


NEWEST = Place(datetime(9999, 1, 1, tzinfo=UTC), LetterId(0, 0))


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that was no command, why, and what became of it. A list leaves out key, value and headers.

    `replay` is what came of the last replay; `replayed_content` the fingerprint of what that one asks for.
    `is_remembered` when only the letter knows that, since retention has taken it out of the inbox.
    """

    id: LetterId
    environment: str | None
    command_id: UUID | None
    code: str
    message: str
    received_at: datetime
    status: Status
    settled_at: datetime | None
    settled_by: str | None
    replayed_as: UUID | None
    value_bytes: int
    replayed_content: bytes | None = None
    replay: Replay | None = None
    is_remembered: bool = False
    source: str | None = None
    type: str | None = None
    key: bytes | None = None
    value: bytes | None = None
    headers: Headers = ()

    @property
    def place(self) -> Place:
        return Place(self.received_at, self.id)


async def list_letters(
    connection: Connection, environment: str, status: Status | None, behind: Place, limit: int
) -> list[DeadLetter]:
    """Return up to `limit` letters of an environment behind a place, the newest first, without their bytes."""
    rows = _sql.list_dead_letters(
        connection,
        environment=environment,
        status=status,
        received_at=behind.received_at,
        partition=behind.id.partition,
        log_offset=behind.id.offset,
        page_size=limit,
    )
    return [_letter(row) async for row in rows]


async def list_letters_of_nobody(connection: Connection, status: Status | None, limit: int) -> list[DeadLetter]:
    """Return the newest letters whose environment does not exist, or cannot be told."""
    rows = _sql.list_dead_letters_of_nobody(connection, status=status, page_size=limit)
    return [_letter(row) async for row in rows]


async def find_letter(connection: Connection, letter_id: LetterId, environment: str | None) -> DeadLetter | None:
    """Return a letter with its bytes, of `environment` (of any when it is None); None when there is none."""
    row = await _sql.find_dead_letter(
        connection, partition=letter_id.partition, log_offset=letter_id.offset, environment=environment
    )
    return None if row is None else _letter(row)


async def lock_letter(connection: Connection, letter_id: LetterId) -> None:
    """Let nobody else settle a letter until the transaction ends."""
    await _sql.lock_dead_letter(connection, partition=letter_id.partition, log_offset=letter_id.offset)


async def discard(connection: Connection, letter_id: LetterId, who: str) -> None:
    """Discard a letter if it is open."""
    async with connection.transaction():
        await lock_letter(connection, letter_id)
        await _sql.discard_dead_letter(
            connection, partition=letter_id.partition, log_offset=letter_id.offset, settled_by=who
        )


async def mark_replayed(
    connection: Connection, letter_id: LetterId, who: str, command_id: UUID, content: bytes
) -> datetime:
    """Note that a letter is sent again, as which command and asking for what; return when that was."""
    marked_at: datetime = await _sql.mark_replayed(
        connection,
        partition=letter_id.partition,
        log_offset=letter_id.offset,
        settled_by=who,
        replayed_as=command_id,
        replayed_content=content,
    )
    return marked_at


async def restore(connection: Connection, letter: DeadLetter, command_id: UUID, marked_at: datetime) -> None:
    """Give a letter back the state that it was read with, if it was not marked again since `marked_at`."""
    await _sql.restore_dead_letter(
        connection,
        partition=letter.id.partition,
        log_offset=letter.id.offset,
        status=letter.status,
        settled_at=letter.settled_at,
        settled_by=letter.settled_by,
        former_replayed_as=letter.replayed_as,
        former_content=letter.replayed_content,
        replayed_as=command_id,
        marked_at=marked_at,
    )


def no_such_letter(letter_id: str) -> Refused:
    """Return the refusal for a letter that is not there for who asks."""
    return Refused(
        Code.DEAD_LETTER_NOT_FOUND,
        f"There is no dead letter '{letter_id}' in this environment. GET /api/v1/dead-letters lists those there are.",
        dead_letter_id=letter_id,
    )


def entry_of(letter: DeadLetter) -> dict[str, Any]:
    """Return what a list says of a letter."""
    return {
        "id": str(letter.id),
        "status": letter.status,
        "code": letter.code,
        "message": letter.message,
        "received_at": timestamp(letter.received_at),
        "command_id": _text_or_none(letter.command_id),
        "environment": letter.environment,
        "source": letter.source,
        "type": letter.type,
        "value_bytes": letter.value_bytes,
        "settled_at": letter.settled_at and timestamp(letter.settled_at),
        "settled_by": letter.settled_by,
        "replayed_as": _text_or_none(letter.replayed_as),
    }


def page_of(letter: DeadLetter) -> dict[str, Any]:
    """Return all that is known of a letter: its bytes as base64, and as text where they are UTF-8."""
    headers = [{"name": name, "value": value.decode()} for name, value in letter.headers]
    return {**entry_of(letter), "key": _told(letter.key), "value": _told(letter.value), "headers": headers}


def _told(raw: bytes | None) -> dict[str, str | None] | None:
    if raw is None:
        return None
    try:
        text: str | None = raw.decode()
    except UnicodeDecodeError:
        text = None
    return {"text": text, "base64": base64.b64encode(raw).decode()}


def _text_or_none(value: UUID | None) -> str | None:
    return None if value is None else str(value)


def _letter(row: asyncpg.Record) -> DeadLetter:
    bytes_too = (
        {
            "key": row["record_key"],
            "value": row["record_value"],
            "headers": [(name, value.encode()) for name, value in pydantic_core.from_json(row["record_headers"])],
        }
        if "record_headers" in row
        else {}
    )
    return DeadLetter(
        id=LetterId(row["partition"], row["log_offset"]),
        environment=row["environment"],
        command_id=_uuid(row["command_id"]),
        code=row["code"],
        message=row["message"],
        received_at=row["received_at"],
        status=row["status"],
        settled_at=row["settled_at"],
        settled_by=row["settled_by"],
        replayed_as=_uuid(row["replayed_as"]),
        value_bytes=row["value_bytes"],
        source=_readable(row["source"]),
        type=_readable(row["type"]),
        replayed_content=row["replayed_content"],
        replay=row["replay"],
        is_remembered=row.get("is_remembered", False),
        **bytes_too,
    )


def _readable(text: str | None) -> str | None:
    return None if text is None else readable(text.encode())


def _uuid(value: Any) -> UUID | None:
    return None if value is None else UUID(int=value.int)

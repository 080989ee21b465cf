"""Which command a replay of a dead letter is, noted in the letter before it is sent.

The inbox lets a command id take effect once, so a replay that is repeated has to be the same command, and another one
has to wait until it is known what came of the first.
"""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID, uuid5

import structlog

from events.commands import CommandData
from events.envelope import fingerprint_of
from events.refusals import Code, Refused
from services.kit import dead_letters
from services.kit.dead_letters import DeadLetter, LetterId
from services.kit.postgres import POSTGRES_TROUBLE, Connection, Pool, borrowed
from services.kit.tokens import Identity

REPLAYS = UUID("b0a4b1de-5d0c-5c53-8a0e-3f6f5d2c9e47")

log = structlog.get_logger()


class Mark(NamedTuple):
    """A replay that is about to be sent, and the letter as it was before; `at` is None for one that is decided."""

    command_id: UUID
    former: DeadLetter
    at: datetime | None


async def mark(
    connection: Connection, letter_id: LetterId, asker: Identity, data: CommandData, key: UUID | None
) -> Mark:
    """Note a replay that asks for `data`, in a transaction; `key` is the id of its Idempotency-Key.

    Raises Refused: dead_letter_not_found, dead_letter_replayed, dead_letter_undecided, command_id_reused.
    """
    await dead_letters.lock_letter(connection, letter_id)
    letter = await dead_letters.find_letter(connection, letter_id, asker.environment)
    if letter is None:
        raise dead_letters.no_such_letter(str(letter_id))
    content = fingerprint_of(type(data).__name__, data)
    command_id = command_of(letter, content, key)
    if letter.replay == "done":  # a repeat, which is answered with its result
        return Mark(command_id, letter, None)
    at = await dead_letters.mark_replayed(connection, letter_id, asker.user_id, command_id, content)
    return Mark(command_id, letter, at)


async def unmark(pool: Pool, marked: Mark) -> None:
    """Take the mark of a replay back that was not sent."""
    if marked.at is None:
        return
    try:
        async with borrowed(pool) as connection:
            await dead_letters.restore(connection, marked.former, marked.command_id, marked.at)
    except POSTGRES_TROUBLE as error:  # the same replay can be sent all the same
        log.warning("a dead letter stays marked as replayed", dead_letter=str(marked.former.id), error=repr(error))


def command_of(letter: DeadLetter, content: bytes, key: UUID | None) -> UUID:
    """Return the id that a letter is sent again under: that of the same replay before, or else the key's.

    Without either it is derived from the letter, the content and the replay that was refused last, so that the same
    replay is the same command even where the mark was lost, as in a Postgres that was restored from a backup.
    """
    if letter.replay == "done" and letter.is_remembered:  # nothing else would keep it from taking effect again
        raise _took_effect(letter)
    is_same = content == letter.replayed_content
    if letter.replayed_as is not None and letter.replayed_as == key:
        if not is_same:
            raise _reused(key)
        return key
    if letter.replay == "done":
        raise _took_effect(letter)
    if letter.replayed_as is not None and letter.replay == "undecided":
        if not is_same:
            raise _undecided(letter)
        return letter.replayed_as
    return key or uuid5(REPLAYS, f"{letter.environment}\n{letter.id}\n{letter.replayed_as}\n{content.hex()}")


def _reused(command_id: UUID) -> Refused:
    return Refused(
        Code.COMMAND_ID_REUSED,
        "The Idempotency-Key was used before, for another replay of this letter. Use a new key for a new one.",
        command_id=str(command_id),
    )


def _took_effect(letter: DeadLetter) -> Refused:
    return Refused(
        Code.DEAD_LETTER_REPLAYED,
        f"The dead letter '{letter.id}' was replayed as the command {letter.replayed_as}, which took effect. "
        "Send a command of your own to change what came of it.",
        dead_letter_id=str(letter.id),
        command_id=str(letter.replayed_as),
    )


def _undecided(letter: DeadLetter) -> Refused:
    return Refused(
        Code.DEAD_LETTER_UNDECIDED,
        f"The dead letter '{letter.id}' was replayed as the command {letter.replayed_as}, which asks for something "
        f"else and may still take effect. Ask for its result at /api/v1/commands/{letter.replayed_as}, or send that "
        "replay again, which is the same command; when it is refused, the letter is open again.",
        dead_letter_id=str(letter.id),
        command_id=str(letter.replayed_as),
    )

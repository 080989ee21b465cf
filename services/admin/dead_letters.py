"""What the admin commands do about dead letters."""

import argparse
from typing import Any

from services.admin.control import ControlError, demand_environment
from services.admin.sessions import on_postgres
from services.kit.dead_letters import (
    NEWEST,
    DeadLetter,
    LetterId,
    discard,
    entry_of,
    find_letter,
    list_letters,
    list_letters_of_nobody,
    page_of,
)
from services.kit.postgres import Connection

WHO = "pipeloom admin"


@on_postgres
async def list_dead_letters(connection: Connection, given: argparse.Namespace) -> Any:
    status = None if given.status == "all" else given.status
    if given.limit < 1:
        raise ControlError(f"--limit is {given.limit}; give 1 or more.")
    if given.environment is None:
        letters = await list_letters_of_nobody(connection, status, given.limit)
    else:
        await demand_environment(connection, given.environment)
        letters = await list_letters(connection, given.environment, status, NEWEST, given.limit)
    return [entry_of(letter) for letter in letters]


@on_postgres
async def show_dead_letter(connection: Connection, given: argparse.Namespace) -> Any:
    return page_of(await _found(connection, given.id))


@on_postgres
async def discard_dead_letter(connection: Connection, given: argparse.Namespace) -> Any:
    await discard(connection, given.id, WHO)
    return entry_of(await _found(connection, given.id))


async def _found(connection: Connection, letter_id: LetterId) -> DeadLetter:
    letter = await find_letter(connection, letter_id, None)
    if letter is None:
        raise ControlError(f"There is no dead letter {letter_id}; `dead-letters list` tells which there are.")
    return letter

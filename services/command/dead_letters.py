"""Sending dead letters again, and discarding them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pydantic_core
import structlog
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from events.commands import CommandData, StepRequested, StepUpdateRequested
from events.outcomes import is_refusal
from events.refusals import Code, Refused
from services.command import dead_letter_contract as contract
from services.command.bodies import read_json
from services.command.replays import mended_type, object_of, read_mended, replayed
from services.command.sources import Sources
from services.command.submit import Submitter, command_id_of, validated
from services.kit import dead_letters
from services.kit.dead_letters import DeadLetter, LetterId
from services.kit.eventlog import read_result
from services.kit.parameters import DeadLetterId
from services.kit.postgres import POSTGRES_TROUBLE, borrowed
from services.kit.reading import reading
from services.kit.tokens import Identity
from services.kit.told import told
from services.kit.web import Asker, json_response

SOURCE = "/pipeloom/dead-letters"

log = structlog.get_logger()


def dead_letter_routes(submitter: Submitter, sources: Sources) -> APIRouter:
    """Return the routes that settle dead letters."""
    router = APIRouter(tags=["dead letters"])

    async def find(asker: Identity, letter_id: str) -> DeadLetter:
        async with reading(submitter.backend.pool) as connection:
            letter = await dead_letters.find_letter(connection, LetterId.parse(letter_id), asker.environment)
        if letter is None:
            raise dead_letters.no_such_letter(letter_id)
        return letter

    @router.post("/dead-letters/{dead_letter_id}/replay", **contract.REPLAY)
    async def replay_dead_letter(request: Request, asker: Asker, dead_letter_id: DeadLetterId) -> Response:
        """Send a dead letter again as a new command of yours, as it is or mended; its source names the letter."""
        letter = await find(asker, dead_letter_id)
        data = _asked(letter, await _mended(request), asker, sources)
        command_id = command_id_of(request, asker)
        async with _marked(submitter, letter, asker, command_id):
            return await submitter.submit(request, asker, data, told, command_id, source=f"{SOURCE}/{letter.id}")

    @router.delete("/dead-letters/{dead_letter_id}", **contract.DISCARD)
    async def discard_dead_letter(asker: Asker, dead_letter_id: DeadLetterId) -> Response:
        """Discard a dead letter: it is kept, and no longer open. One that is settled stays as it is."""
        letter = await find(asker, dead_letter_id)
        async with reading(submitter.backend.pool) as connection:
            await dead_letters.discard(connection, letter.id, asker.user_id)
        settled = await find(asker, dead_letter_id)
        return json_response(pydantic_core.to_json(dead_letters.entry_of(settled)))

    return router


async def _mended(request: Request) -> dict[str, Any] | None:
    return await read_json(request) if await request.body() else None


def _asked(letter: DeadLetter, fields: dict[str, Any] | None, asker: Identity, sources: Sources) -> CommandData:
    """Return the command to send. A step that is mended is taken as one that is asked for over HTTP, and so sealed."""
    mended = read_mended(fields or {})
    if mended.type is None and mended.data is None:
        return replayed(letter)
    model = mended_type(letter, mended)
    data = object_of(letter) if mended.data is None else mended.data
    if model in (StepRequested, StepUpdateRequested):
        data = sources.sealed(data, asker.environment, data.get("step_name"))
    return validated(model, data)


@asynccontextmanager
async def _marked(submitter: Submitter, letter: DeadLetter, asker: Identity, command_id: UUID) -> AsyncIterator[None]:
    """Mark a letter as replayed before it is sent, so that no crash leaves it unmarked; take it back when refused."""
    async with reading(submitter.backend.pool) as connection:
        if letter.replayed_as not in {None, command_id}:
            decided = await read_result(connection, asker.environment, letter.replayed_as)
            if decided is not None and not is_refusal(decided.event.type):
                raise _took_effect(letter)
        if (letter.status, letter.replayed_as) != ("replayed", command_id):
            await dead_letters.mark_replayed(connection, letter.id, asker.user_id, command_id)
    try:
        yield
    except Refused as refusal:
        if refusal.code is not Code.OUTCOME_UNKNOWN:
            await _restore(submitter, letter, command_id)
        raise


async def _restore(submitter: Submitter, letter: DeadLetter, command_id: UUID) -> None:
    try:
        async with borrowed(submitter.backend.pool) as connection:
            await dead_letters.restore(connection, letter, command_id)
    except POSTGRES_TROUBLE as error:  # it can be replayed as it stands, since its command did not succeed
        log.warning("a dead letter stays marked as replayed", dead_letter=str(letter.id), error=repr(error))


def _took_effect(letter: DeadLetter) -> Refused:
    return Refused(
        Code.DEAD_LETTER_REPLAYED,
        f"The dead letter '{letter.id}' was replayed as the command {letter.replayed_as}, which took effect. "
        "Send a command of your own to change what came of it.",
        dead_letter_id=str(letter.id),
        command_id=str(letter.replayed_as),
    )

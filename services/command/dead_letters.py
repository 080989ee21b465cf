"""Sending dead letters again, and discarding them."""

from typing import Any

import pydantic_core
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from events.commands import CommandData, StepRequested, StepUpdateRequested
from services.command import dead_letter_contract as contract
from services.command.bodies import read_json
from services.command.replay_marks import mark, unmark
from services.command.replays import mended_type, object_of, read_mended, replayed
from services.command.sources import Sources
from services.command.submit import Submitter, keyed_command_id, validated
from services.kit import dead_letters
from services.kit.commands import NotSent
from services.kit.dead_letters import DeadLetter, LetterId
from services.kit.parameters import DeadLetterId
from services.kit.places import NoPlace
from services.kit.reading import reading
from services.kit.tokens import Identity
from services.kit.told import told
from services.kit.web import Asker, json_response
from services.kit.writing import writing

SOURCE = "/pipeloom/dead-letters"
WRITTEN = "the dead letter"


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
        key = keyed_command_id(request, asker)
        pool = submitter.backend.pool
        async with writing(pool, WRITTEN) as connection:
            marked = await mark(connection, letter.id, asker, data, key)
        source = f"{SOURCE}/{letter.id}"
        try:
            return await submitter.submit(request, asker, data, told, marked.command_id, source=source, may_repeat=True)
        except (NotSent, NoPlace):
            await unmark(pool, marked)
            raise

    @router.delete("/dead-letters/{dead_letter_id}", **contract.DISCARD)
    async def discard_dead_letter(asker: Asker, dead_letter_id: DeadLetterId) -> Response:
        """Discard a dead letter: it is kept, and no longer open. One that is settled stays as it is."""
        letter = await find(asker, dead_letter_id)
        async with writing(submitter.backend.pool, WRITTEN) as connection:
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
    data = object_of(letter, model) if mended.data is None else mended.data
    if model in (StepRequested, StepUpdateRequested):
        data = sources.sealed(data, asker.environment, data.get("step_name"))
    return validated(model, data)

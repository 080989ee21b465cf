"""Telling what became of a command."""

from contextlib import nullcontext
from typing import Annotated
from uuid import UUID

import pydantic_core
from fastapi import APIRouter, Query
from starlette.responses import Response

from services.kit.backend import Backend
from services.kit.eventlog import read_result
from services.kit.patience import Patience
from services.kit.places import Shares
from services.kit.reading import READ_S, reading
from services.kit.told import told
from services.kit.web import Asker, json_response
from services.query import contract

MAX_WAIT_S = 60
# How much longer than its wait a request may take.
GRACE_S = 1.0

Wait = Annotated[int, Query(ge=0, le=MAX_WAIT_S, description="Hold the request for so many seconds for a result")]


def command_status_router(backend: Backend) -> APIRouter:
    """Return the route that tells a command's result."""
    router = APIRouter(tags=["commands"])
    http = backend.settings.http
    shares = Shares("long polls", http.max_streams, http.max_streams_per_environment)

    @router.get("/commands/{command_id}", **contract.GET_COMMAND)
    async def get_command(asker: Asker, command_id: UUID, wait: Wait = 0) -> Response:
        """Get a command's result: `succeeded` with the result event's data, or `rejected` with the refusal.

        202 and `unknown` when there is no result under this id: it is still on its way, was never sent, or is so old
        that it is no longer kept.
        """
        held = shares.place(asker.environment) if wait else nullcontext()
        with held, backend.live.expecting(asker.environment, command_id) as result:
            patience = Patience(wait, backend.ending)
            async with reading(backend.pool, min(READ_S, wait + GRACE_S) if wait else READ_S) as connection:
                decided = await read_result(connection, asker.environment, command_id)
            if decided:
                return told(decided.event)
            if await patience.wait(result):
                return told(result.result())
        return _unknown(command_id)

    return router


def _unknown(command_id: UUID) -> Response:
    body = {
        "command_id": str(command_id),
        "status": "unknown",
        "message": "There is no result under this id: the command is still on its way, was never sent, or is so old "
        "that it is no longer kept.",
    }
    return json_response(pydantic_core.to_json(body), 202, {"Retry-After": "1"})

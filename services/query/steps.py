"""Reading steps, and waiting for one to be built (source: sdk-contract 5)."""

import re
from typing import Annotated, Any

import pydantic_core
from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from events.refusals import Code, Refused
from events.resources import StepStatus
from services.kit.backend import Backend
from services.kit.patience import Patience
from services.kit.web import Asker
from services.query.lists import BEFORE_ALL, After, Limit, Listing
from services.query.pages import page
from services.query.reads import find_one, sql

HOLD_S = 25.0
# Up to 0.51 the SDK knows no failed step: it reads a 404 as "creation failed", and anything else as "go on waiting".
FIRST_SDK_THAT_KNOWS_FAILED = (0, 52)

_SDK = re.compile(r"craft-ai-sdk@(\d+)\.(\d+)")

Wait = Annotated[bool, Query(description="Hold the request until the step is built, or for 25 s")]


def step_router(backend: Backend) -> APIRouter:
    """Return the routes that read steps."""
    router = APIRouter(tags=["steps"])
    listing = Listing(backend.pool, sql.list_steps)

    @router.get("/steps")
    async def list_steps(request: Request, asker: Asker, limit: Limit = None, after: After = BEFORE_ALL) -> Response:
        """List all steps in the order of their names."""
        return await listing.answer(request, asker.environment, limit, after)

    @router.get("/steps/{step_name}")
    async def get_step(request: Request, asker: Asker, step_name: str, wait_for_completion: Wait = False) -> Response:
        """Get one step. Its `creation_info.status` is Pending, Ready or Failed."""
        if wait_for_completion:
            row = await _built(backend, asker.environment, step_name)
        else:
            row = await _find(backend, asker.environment, step_name)
        if row["status"] == StepStatus.FAILED and not _knows_failed(request):
            raise _failed(step_name, row["document"])
        return page(request, row["document"], row["version"])

    return router


async def _built(backend: Backend, environment: str, name: str) -> Any:
    """Return the step once it is no longer Pending, or as it is after HOLD_S."""
    patience = Patience(HOLD_S, backend.ending)
    while True:
        with backend.live.expecting(environment, f"steps/{name}") as news:
            row = await _find(backend, environment, name)
            if row["status"] != StepStatus.PENDING or patience.is_over:
                return row
            await patience.wait(news)


async def _find(backend: Backend, environment: str, name: str) -> Any:
    row = await find_one(backend.pool, sql.find_step, environment, name)
    if row is None:
        raise Refused(Code.STEP_NOT_FOUND, f"There is no step '{name}' in this environment.", step_name=name)
    return row


def _knows_failed(request: Request) -> bool:
    match = _SDK.match(request.headers.get("craft-ai-client", ""))
    return match is None or (int(match[1]), int(match[2])) >= FIRST_SDK_THAT_KNOWS_FAILED


def _failed(name: str, document: str) -> Refused:
    failure = pydantic_core.from_json(document)["creation_info"].get("failure")
    return Refused(Code.STEP_FAILED, f"The step '{name}' could not be built: {failure}", step_name=name)

"""Reading steps, and waiting for one to be built (source: sdk-contract 5)."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from services.kit.backend import Backend
from services.kit.built import HOLD_S, built_step, find_step, readable
from services.kit.parameters import StepName
from services.kit.sdk import VARY, spelled_entries
from services.kit.web import Asker
from services.query import contract
from services.query.lists import BEFORE_ALL, After, Limit, Listing
from services.query.pages import page
from services.query.reads import sql

Wait = Annotated[bool, Query(description="Hold the request until the step is built, or for 25 s")]


def step_router(backend: Backend) -> APIRouter:
    """Return the routes that read steps."""
    router = APIRouter(tags=["steps"])
    listing = Listing(backend, sql.list_steps, spelled_entries)

    @router.get("/steps", **contract.LIST_STEPS)
    async def list_steps(request: Request, asker: Asker, limit: Limit = None, after: After = BEFORE_ALL) -> Response:
        """List all steps in the order of their names."""
        answer = await listing.answer(request, asker.environment, limit, after)
        answer.headers.update(VARY)
        return answer

    @router.get("/steps/{step_name}", **contract.GET_STEP)
    async def get_step(
        request: Request, asker: Asker, step_name: StepName, wait_for_completion: Wait = False
    ) -> Response:
        """Get one step. Its `creation_info.status` is Pending, Ready or Failed."""
        if wait_for_completion:
            row = await built_step(backend, asker.environment, step_name, HOLD_S)
        else:
            row = await find_step(backend, asker.environment, step_name)
        return page(request, readable(request, step_name, row), row["version"], VARY)

    return router

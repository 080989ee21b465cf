"""Reading environment variables (source: sdk-contract 10)."""

import pydantic_core
from fastapi import APIRouter
from pydantic import TypeAdapter
from starlette.requests import Request
from starlette.responses import Response

from events.resources import EnvironmentVariable
from services.kit.backend import Backend
from services.kit.variables import open_value
from services.kit.web import Asker
from services.query import contract
from services.query.lists import BEFORE_ALL, After, Limit, Listing
from services.query.reads import sql

_variables = TypeAdapter(list[EnvironmentVariable])


def variable_router(backend: Backend) -> APIRouter:
    """Return the routes that read environment variables."""
    router = APIRouter(tags=["environment variables"])

    def opened(environment: str, entries: str) -> str:
        variables = _variables.validate_json(f"[{entries}]")
        told = [
            {"name": variable.name, "value": open_value(backend.sealer, environment, variable)}
            for variable in variables
        ]
        return pydantic_core.to_json(told).decode()[1:-1]

    @router.get("/environment-variables", **contract.LIST_ENVIRONMENT_VARIABLES)
    async def list_environment_variables(
        request: Request, asker: Asker, limit: Limit = None, after: After = BEFORE_ALL
    ) -> Response:
        """List all environment variables with their values, in the order of their names."""
        listing = Listing(
            backend, sql.list_environment_variables, lambda _, entries: opened(asker.environment, entries)
        )
        answer = await listing.answer(request, asker.environment, limit, after)
        answer.headers["Cache-Control"] = "no-store"
        return answer

    return router

"""Reading deployments (source: sdk-contract 7)."""

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from events.refusals import Code, Refused
from services.kit.postgres import Pool
from services.kit.web import Asker
from services.query.lists import BEFORE_ALL, After, Limit, Listing
from services.query.pages import page
from services.query.reads import find_one, sql


def deployment_router(pool: Pool) -> APIRouter:
    """Return the routes that read deployments."""
    router = APIRouter(tags=["deployments"])
    listing = Listing(pool, sql.list_deployments)

    async def find(environment: str, name: str) -> Any:
        row = await find_one(pool, sql.find_deployment, environment, name)
        if row is None:
            raise Refused(
                Code.DEPLOYMENT_NOT_FOUND, f"There is no deployment '{name}' in this environment.", deployment_name=name
            )
        return row

    @router.get("/deployments")
    async def list_deployments(
        request: Request, asker: Asker, limit: Limit = None, after: After = BEFORE_ALL
    ) -> Response:
        """List all deployments in the order of their names."""
        return await listing.answer(request, asker.environment, limit, after)

    @router.get("/deployments/{deployment_name}")
    async def get_deployment(request: Request, asker: Asker, deployment_name: str) -> Response:
        """Get one deployment."""
        row = await find(asker.environment, deployment_name)
        return page(request, row["document"], row["version"])

    @router.get("/deployments/{deployment_name}/executions/latest", status_code=204)
    async def get_latest_execution(asker: Asker, deployment_name: str) -> Response:
        """Get the deployment's last execution: none yet, since nothing runs deployments so far."""
        await find(asker.environment, deployment_name)
        return Response(status_code=204)

    return router

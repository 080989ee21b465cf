"""Reading deployments (source: sdk-contract 7)."""

from datetime import UTC, datetime
from typing import Annotated, Any

import pydantic_core
from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from events.envelope import timestamp
from events.refusals import Code, Refused
from services.kit.backend import Backend
from services.kit.parameters import DeploymentName
from services.kit.schedules import next_times
from services.kit.web import Asker, json_response
from services.query import contract
from services.query.created import created_page
from services.query.lists import BEFORE_ALL, After, Limit, Listing
from services.query.logs import LogRange
from services.query.pages import page
from services.query.reads import find_one, sql

TIMES_TOLD = 3
Wait = Annotated[bool, Query(description="Tell whether the creation has ended: a status of `up` says that it has")]


def deployment_router(backend: Backend) -> APIRouter:
    """Return the routes that read deployments."""
    router = APIRouter(tags=["deployments"])
    pool = backend.pool
    listing = Listing(backend, sql.list_deployments)

    async def find(environment: str, name: str) -> Any:
        row = await find_one(pool, sql.find_deployment, environment, name)
        if row is None:
            raise Refused(
                Code.DEPLOYMENT_NOT_FOUND, f"There is no deployment '{name}' in this environment.", deployment_name=name
            )
        return row

    @router.get("/deployments", **contract.LIST_DEPLOYMENTS)
    async def list_deployments(
        request: Request, asker: Asker, limit: Limit = None, after: After = BEFORE_ALL
    ) -> Response:
        """List all deployments in the order of their names."""
        return await listing.answer(request, asker.environment, limit, after)

    @router.get("/deployments/{deployment_name}", **contract.GET_DEPLOYMENT)
    async def get_deployment(
        request: Request, asker: Asker, deployment_name: DeploymentName, wait_for_completion: Wait = False
    ) -> Response:
        """Get one deployment. Its status is `standby`, since nothing runs it so far."""
        row = await find(asker.environment, deployment_name)
        if wait_for_completion:
            return await created_page(backend, asker, deployment_name, row["document"])
        return page(request, row["document"], row["version"])

    @router.get("/deployments/{deployment_name}/schedule", **contract.GET_SCHEDULE)
    async def get_schedule(asker: Asker, deployment_name: DeploymentName) -> Response:
        """Get the schedule of a periodic deployment, in words too, and the next three times at which it comes due."""
        row = await find(asker.environment, deployment_name)
        return _schedule(deployment_name, pydantic_core.from_json(row["document"]))

    @router.get(
        "/deployments/{deployment_name}/executions/latest", status_code=204, **contract.GET_DEPLOYMENT_EXECUTION
    )
    async def get_latest_execution_of_deployment(asker: Asker, deployment_name: DeploymentName) -> Response:
        """Get the deployment's last execution: none yet, since nothing runs deployments so far."""
        await find(asker.environment, deployment_name)
        return Response(status_code=204)

    @router.post("/deployments/{deployment_name}/logs", **contract.GET_DEPLOYMENT_LOGS)
    async def get_deployment_logs(asker: Asker, deployment_name: DeploymentName, _: LogRange | None = None) -> Response:
        """Get a deployment's logs: none yet, since nothing runs deployments so far."""
        await find(asker.environment, deployment_name)
        return json_response("[]")

    return router


def _schedule(name: str, document: dict[str, Any]) -> Response:
    if document["schedule"] is None:
        raise Refused(
            Code.WRONG_EXECUTION_RULE,
            f"The deployment '{name}' is an {document['execution_rule']}: only periodic ones have a schedule.",
            deployment_name=name,
            execution_rule=document["execution_rule"],
        )
    moments = next_times(document["schedule"], datetime.now(UTC), TIMES_TOLD)
    told = {key: document[key] for key in ("name", "schedule", "human_readable_schedule")}
    return json_response(pydantic_core.to_json({**told, "next_times": [timestamp(each) for each in moments]}))

"""Reading pipelines (source: sdk-contract 6)."""

from typing import Any

import pydantic_core
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from events.refusals import Code, Refused
from services.kit.backend import Backend
from services.kit.parameters import PipelineName
from services.kit.web import Asker
from services.query import contract
from services.query.lists import BEFORE_ALL, After, Limit, Listing
from services.query.logs import LogLine, LogRange, wanted_lines
from services.query.pages import page
from services.query.reads import find_one, sql


def pipeline_router(backend: Backend) -> APIRouter:
    """Return the routes that read pipelines."""
    router = APIRouter(tags=["pipelines"])
    pool = backend.pool
    listing = Listing(backend, sql.list_pipelines)

    async def find(environment: str, name: str) -> Any:
        row = await find_one(pool, sql.find_pipeline, environment, name)
        if row is None:
            raise Refused(
                Code.PIPELINE_NOT_FOUND, f"There is no pipeline '{name}' in this environment.", pipeline_name=name
            )
        return row

    @router.get("/pipelines", **contract.LIST_PIPELINES)
    async def list_pipelines(
        request: Request, asker: Asker, limit: Limit = None, after: After = BEFORE_ALL
    ) -> Response:
        """List all pipelines in the order of their names."""
        return await listing.answer(request, asker.environment, limit, after)

    @router.get("/pipelines/{pipeline_name}", **contract.GET_PIPELINE)
    async def get_pipeline(request: Request, asker: Asker, pipeline_name: PipelineName) -> Response:
        """Get one pipeline."""
        row = await find(asker.environment, pipeline_name)
        return page(request, row["document"], row["version"])

    @router.get("/pipelines/{pipeline_name}/executions/latest", status_code=204, **contract.GET_PIPELINE_EXECUTION)
    async def get_latest_execution_of_pipeline(asker: Asker, pipeline_name: PipelineName) -> Response:
        """Get the pipeline's last execution: none yet, since nothing runs pipelines so far."""
        await find(asker.environment, pipeline_name)
        return Response(status_code=204)

    @router.post("/pipelines/{pipeline_name}/logs", **contract.GET_PIPELINE_LOGS)
    async def get_pipeline_logs(asker: Asker, pipeline_name: PipelineName, wanted: LogRange) -> list[LogLine]:
        """Get what is known of the pipeline's creation. Pipelines are not built: the logs of its step tell of that."""
        document = pydantic_core.from_json((await find(asker.environment, pipeline_name))["document"])
        told = f"The pipeline was created by {document['created_by']}."
        return wanted_lines([LogLine(timestamp=document["created_at"], message=told)], wanted)

    return router

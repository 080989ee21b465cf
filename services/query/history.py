"""What happened to a step, a pipeline or a deployment, also when it is gone: who, what, when, before and after."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from events.envelope import timestamp
from events.names import why_unaddressable
from events.outcomes import COMMAND_OF, is_refusal
from events.refusals import Code, Refused
from events.upcasting import present_fields
from services.kit.eventlog import read_extent
from services.kit.parameters import DeploymentName, PipelineName, StepName
from services.kit.postgres import Pool
from services.kit.reading import reading
from services.kit.statements import load_queries
from services.kit.web import Asker
from services.query import history_contract as contract
from services.query.paging import BEHIND_ALL, DEFAULT_LIMIT, PageLimit, demand_known, page_response

PARAMETERS = ("order", "limit", "after")
BYTES = 1024 * 1024

Kind = Literal["step", "pipeline", "deployment"]
Order = Annotated[Literal["newest", "oldest"], Query(description="Which entry comes first")]
AfterSequence = Annotated[
    int | None, Query(ge=0, le=BEHIND_ALL, description="Only entries behind that sequence, in the order that is asked")
]

_sql = load_queries(__file__)


def history_router(pool: Pool) -> APIRouter:
    """Return the routes that tell the history of a resource."""
    router = APIRouter()

    @router.get("/steps/{step_name}/history", tags=["steps"], **contract.STEP_HISTORY)
    async def get_step_history(
        request: Request,
        asker: Asker,
        step_name: StepName,
        order: Order = "newest",
        limit: PageLimit = DEFAULT_LIMIT,
        after: AfterSequence = None,
    ) -> Response:
        """Get what happened to a step and what was refused about it, also when it is gone."""
        return await _history(pool, request, asker.environment, "step", step_name, order, limit, after)

    @router.get("/pipelines/{pipeline_name}/history", tags=["pipelines"], **contract.PIPELINE_HISTORY)
    async def get_pipeline_history(
        request: Request,
        asker: Asker,
        pipeline_name: PipelineName,
        order: Order = "newest",
        limit: PageLimit = DEFAULT_LIMIT,
        after: AfterSequence = None,
    ) -> Response:
        """Get what happened to a pipeline and what was refused about it, also when it is gone."""
        return await _history(pool, request, asker.environment, "pipeline", pipeline_name, order, limit, after)

    @router.get("/deployments/{deployment_name}/history", tags=["deployments"], **contract.DEPLOYMENT_HISTORY)
    async def get_deployment_history(
        request: Request,
        asker: Asker,
        deployment_name: DeploymentName,
        order: Order = "newest",
        limit: PageLimit = DEFAULT_LIMIT,
        after: AfterSequence = None,
    ) -> Response:
        """Get what happened to a deployment and what was refused about it, also when it is gone."""
        return await _history(pool, request, asker.environment, "deployment", deployment_name, order, limit, after)

    return router


async def _history(
    pool: Pool, request: Request, environment: str, kind: Kind, name: str, order: str, limit: int, after: int | None
) -> Response:
    demand_known(request, PARAMETERS)
    if why_unaddressable(name):
        raise _never_there(kind, name, 0)
    newest_first = order == "newest"
    start = after if after is not None else BEHIND_ALL if newest_first else 0
    subject = f"{kind}s/{name}"
    async with reading(pool) as connection:
        found = _sql.read_subject(
            connection,
            environment=environment,
            subject=subject,
            newest_first=newest_first,
            after=start,
            row_limit=limit + 1,
            byte_limit=BYTES,
        )
        rows = [row async for row in found]
        pruned_up_to = (await read_extent(connection, environment)).pruned_up_to
        if not rows and not await _sql.is_known(
            connection, environment=environment, subject=subject, kind=kind, name=name
        ):
            raise _never_there(kind, name, pruned_up_to)
    told = rows[:limit]
    has_more = bool(rows) and rows[0]["found"] > len(told)
    behind = told[-1]["sequence"] if has_more else None
    return page_response(request, [entry_of(row, kind) for row in told], behind, pruned_up_to)


def entry_of(row: Any, kind: str) -> dict[str, Any]:
    """Return an event as an entry of the history of its resource."""
    data = present_fields(row["type"], row["version"], row["data"])
    entry = {
        "sequence": row["sequence"],
        "time": timestamp(row["time"]),
        "type": row["type"],
        "status": "succeeded",
        "actor": row["actor"],
        "command_id": str(row["command_id"]),
        "command_type": COMMAND_OF.get(row["result_type"]),
        "command_subject": row["command_subject"],
        "command_source": row["command_source"],
        "traceparent": row["traceparent"],
        "before": None,
        "after": None,
        "refusal": None,
    }
    if is_refusal(row["type"]):
        refusal = {key: data[key] for key in ("code", "message", "details")}
        return {**entry, "status": "rejected", "command_type": data["command_type"], "refusal": refusal}
    if row["type"].endswith("Deleted"):
        return {**entry, "before": data[kind]}
    return {**entry, "before": data.get("before"), "after": data[kind]}


def _never_there(kind: Kind, name: str, pruned_up_to: int) -> Refused:
    code = {
        "step": Code.STEP_NOT_FOUND,
        "pipeline": Code.PIPELINE_NOT_FOUND,
        "deployment": Code.DEPLOYMENT_NOT_FOUND,
    }[kind]
    details: dict[str, Any] = {f"{kind}_name": name}
    since = f" since event {pruned_up_to}; what was before is no longer kept" if pruned_up_to else ""
    ever = "" if since else "ever "
    message = f"Nothing was {ever}asked of a {kind} '{name}' in this environment{since}. Check the name."
    return Refused(code, message, **details)

"""The addresses that commands about steps are sent to (source: sdk-contract 5)."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from events.commands import StepDeleteRequested, StepRequested, StepUpdateRequested
from events.refusals import Code, Refused
from events.resources import StepStatus
from events.secrets import REPOSITORY
from services.command import answers, contract
from services.command.bodies import read_json, read_step
from services.command.preferences import refuse_if_match
from services.command.sources import Sources
from services.command.submit import Submitter, validated
from services.kit.built import HOLD_S, built_step, readable
from services.kit.parameters import StepName
from services.kit.sdk import VARY, knows_failed, sdk_version
from services.kit.web import Asker, etag, json_response

# Most builds end within it.
SDK_HOLD_S = 2.0

Force = Annotated[bool, Query(description="Delete the dependents too")]
Wait = Annotated[bool, Query(description="Hold the request until the step is built, or for 25 s")]


def step_routes(submitter: Submitter, sources: Sources) -> APIRouter:
    """Return the routes of commands about steps."""
    router = APIRouter(tags=["steps"])

    @router.post("/steps", status_code=206, **contract.CREATE_STEP)
    async def create_step(request: Request, asker: Asker, wait_for_completion: Wait = False) -> Response:
        """Accept a step; 206 says that it is Pending until a builder has checked its code."""
        async with read_step(request, sources.max_upload_bytes, sources.places) as (fields, archive):
            sealed = sources.sealed(fields, asker.environment, fields.get("step_name"))
            data = validated(StepRequested, sealed)
            if archive is not None:
                _demand_one_source(data)
                data = data.model_copy(update={"source": await sources.keep(archive)})
        answer = await submitter.submit(request, asker, data, answers.step_created(request))
        hold_s = HOLD_S if wait_for_completion else _politeness_s(request)
        if hold_s and answer.status_code == 206:
            return await _completed(request, asker.environment, str(fields["step_name"]), answer, hold_s)
        return answer

    async def _completed(request: Request, environment: str, name: str, accepted: Response, hold_s: float) -> Response:
        """Return the answer to a step that is built by now, or else that it is accepted."""
        row = await built_step(submitter.backend, environment, name, hold_s)
        if row["status"] == StepStatus.PENDING or (row["status"] == StepStatus.FAILED and _asks_again(request)):
            return accepted
        told = {key: accepted.headers[key] for key in ("Location", "Pipeloom-Command-Id")}
        status = 201 if row["status"] == StepStatus.READY else 200
        headers = {**told, **VARY, "ETag": etag(row["version"])}
        return json_response(readable(request, name, row), status, headers)

    @router.put("/steps/{step_name}", **contract.UPDATE_STEP)
    async def update_step(request: Request, asker: Asker, step_name: StepName) -> Response:
        """Build a step anew. What is left out stays; while pipelines use it, its inputs and outputs have to stay."""
        refuse_if_match(request.headers)
        fields = {**await read_json(request), "step_name": step_name}
        data = validated(StepUpdateRequested, sources.sealed(fields, asker.environment, step_name))
        return await submitter.submit(request, asker, data, answers.step_updated(request))

    @router.delete("/steps/{step_name}", **contract.DELETE_STEP)
    async def delete_step(
        request: Request, asker: Asker, step_name: StepName, force_dependents_deletion: Force = False
    ) -> Response:
        """Delete a step; refused while pipelines use it, unless it is forced."""
        refuse_if_match(request.headers)
        fields = {"step_name": step_name, "force_dependents_deletion": force_dependents_deletion}
        data = validated(StepDeleteRequested, fields)
        return await submitter.submit(request, asker, data, answers.step_deleted)

    return router


def _politeness_s(request: Request) -> float:
    """Return how long to hold a request of craft-ai-sdk, which sleeps for ten seconds after a 206."""
    return SDK_HOLD_S if sdk_version(request) else 0.0


def _asks_again(request: Request) -> bool:
    """Tell whether a client learns of a failed build by its next question only: it takes any answer here for good."""
    return sdk_version(request) is not None and knows_failed(request)


def _demand_one_source(data: StepRequested) -> None:
    if data.container_config.get(REPOSITORY):
        raise Refused(
            Code.INVALID_BODY,
            f"The step has an uploaded folder and container_config.{REPOSITORY}; give the one that is to be built.",
        )

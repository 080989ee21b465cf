"""The addresses that commands are sent to (source: sdk-contract 5 to 7)."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from events.commands import (
    DeploymentDeleteRequested,
    DeploymentRequested,
    PipelineDeleteRequested,
    PipelineRequested,
)
from events.refusals import Code, Refused
from services.command import answers, contract
from services.command.bodies import read_json, refuse_form
from services.command.dead_letters import dead_letter_routes
from services.command.endpoint_tokens import endpoint_token_routes
from services.command.preferences import read_if_match, refuse_if_match
from services.command.sources import Sources
from services.command.steps import step_routes
from services.command.submit import Submitter, command_id_of, validated
from services.command.variables import variable_routes
from services.kit.parameters import DeploymentName, PipelineName
from services.kit.sealing import Sealer
from services.kit.tokens import Tokens, hash_secret
from services.kit.web import Asker

OLD_NAMES = {"inputs": "inputs_mapping", "outputs": "outputs_mapping"}

Force = Annotated[bool, Query(description="Delete the dependents too")]


def command_router(submitter: Submitter, tokens: Tokens, sealer: Sealer, sources: Sources) -> APIRouter:
    """Return the routes of the command service."""
    router = APIRouter()
    router.include_router(step_routes(submitter, sources))
    router.include_router(_pipeline_routes(submitter))
    router.include_router(_deployment_routes(submitter, tokens))
    router.include_router(endpoint_token_routes(submitter, tokens))
    router.include_router(variable_routes(submitter, sealer))
    router.include_router(dead_letter_routes(submitter, sources))
    return router


def _pipeline_routes(submitter: Submitter) -> APIRouter:
    router = APIRouter(tags=["pipelines"])

    @router.post("/pipelines", status_code=201, **contract.CREATE_PIPELINE)
    async def create_pipeline(request: Request, asker: Asker) -> Response:
        """Compose a pipeline on a step that is Ready; answered when everyone can read it."""
        await refuse_form(request)
        data = validated(PipelineRequested, await read_json(request))
        return await submitter.submit(request, asker, data, answers.pipeline_created)

    @router.delete("/pipelines/{pipeline_name}", **contract.DELETE_PIPELINE)
    async def delete_pipeline(
        request: Request, asker: Asker, pipeline_name: PipelineName, force_deployments_deletion: Force = False
    ) -> Response:
        """Delete a pipeline; refused while deployments use it, unless it is forced."""
        fields = {
            "pipeline_name": pipeline_name,
            "force_deployments_deletion": force_deployments_deletion,
            "expected_version": read_if_match(request.headers),
        }
        data = validated(PipelineDeleteRequested, fields)
        return await submitter.submit(request, asker, data, answers.pipeline_deleted)

    return router


def _deployment_routes(submitter: Submitter, tokens: Tokens) -> APIRouter:
    router = APIRouter(tags=["deployments"])
    answered = answers.deployment_created(tokens)

    @router.post("/endpoints", status_code=201, **contract.CREATE_ENDPOINT)
    async def create_endpoint(request: Request, asker: Asker) -> Response:
        """Deploy a pipeline as an endpoint; its token is in this answer and nowhere else."""
        command_id = command_id_of(request, asker)
        token = tokens.endpoint_token(asker.environment, command_id)
        fields = {
            **_deployment_fields(await read_json(request), "endpoint"),
            "endpoint_token_hash": hash_secret(token).hex(),
        }
        data = validated(DeploymentRequested, fields)
        return await submitter.submit(request, asker, data, answered, command_id)

    @router.post("/periodic-deployment", status_code=201, **contract.CREATE_PERIODIC_DEPLOYMENT)
    async def create_periodic_deployment(request: Request, asker: Asker) -> Response:
        """Deploy a pipeline on a schedule of five cron fields in UTC; every input and output is mapped."""
        data = validated(DeploymentRequested, _deployment_fields(await read_json(request), "periodic"))
        return await submitter.submit(request, asker, data, answered)

    @router.delete("/deployments/{deployment_name}", **contract.DELETE_DEPLOYMENT)
    async def delete_deployment(request: Request, asker: Asker, deployment_name: DeploymentName) -> Response:
        """Delete a deployment."""
        refuse_if_match(request.headers)
        data = validated(DeploymentDeleteRequested, {"name": deployment_name})
        return await submitter.submit(request, asker, data, answers.deployment_deleted)

    return router


def _deployment_fields(body: dict[str, Any], rule: str) -> dict[str, Any]:
    """Return a deployment's fields; clients up to 0.31 send the mappings as `inputs` and `outputs`."""
    fields = dict(body)
    for old, new in OLD_NAMES.items():
        if old in fields and new in fields:
            raise Refused(Code.INVALID_BODY, f"{old} and {new} are the same field; send one of them.")
        if old in fields:
            fields[new] = fields.pop(old)
    return {**fields, "execution_rule": rule, "endpoint_token_hash": None}

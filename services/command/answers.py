"""What a client is answered when its command's result is there (source: sdk-contract 5 to 7)."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pydantic_core
from starlette.requests import Request
from starlette.responses import Response

from events.envelope import Event
from events.refusals import Refused
from events.resources import Step
from events.results import (
    DeploymentCreated,
    DeploymentDeleted,
    EndpointTokenRenewed,
    EnvironmentVariableDeleted,
    EnvironmentVariablesSet,
    PipelineCreated,
    PipelineDeleted,
    StepCreated,
    StepDeleted,
    StepUpdated,
)
from services.kit.documents import deployment_document, documents_of, pipeline_document
from services.kit.sdk import VARY, spelled_page
from services.kit.sealing import Sealer
from services.kit.tokens import Tokens
from services.kit.variables import open_value
from services.kit.web import API, etag, json_response


def pipeline_created(event: Event) -> Response:
    return _created(event, pipeline_document(PipelineCreated.model_validate_json(event.data).pipeline))


def pipeline_deleted(event: Event) -> Response:
    deleted = PipelineDeleted.model_validate_json(event.data)
    return _ok(
        {
            "pipeline": {"name": deleted.pipeline.pipeline_name},
            "deployments": [each.model_dump() for each in deleted.deployments],
        }
    )


def step_created(request: Request) -> Callable[[Event], Response]:
    """Return the answer to a new step, with its status as the client spells it."""
    return lambda event: _step(request, event, StepCreated.model_validate_json(event.data).step, 206)


def step_updated(request: Request) -> Callable[[Event], Response]:
    """Return the answer to a step that is built anew."""
    return lambda event: _step(request, event, StepUpdated.model_validate_json(event.data).step, 200)


def step_deleted(event: Event) -> Response:
    return _ok({"step_name": StepDeleted.model_validate_json(event.data).step.step_name})


def deployment_created(tokens: Tokens) -> Callable[[Event], Response]:
    """Return the answer to a deployment; an endpoint's token is derived from the command and told only here."""

    def answer(event: Event) -> Response:
        deployment = DeploymentCreated.model_validate_json(event.data).deployment
        document = deployment_document(deployment)
        token = tokens.told_endpoint_token(event.environment, event.command_id, deployment.endpoint_token_hash)
        if token:
            document["endpoint_token"] = token
        return _created(event, document)

    return answer


def endpoint_token_renewed(tokens: Tokens) -> Callable[[Event], Response]:
    """Return the answer to a new token, derived from its command as the first one was, and told only here."""

    def answer(event: Event) -> Response:
        renewed = EndpointTokenRenewed.model_validate_json(event.data).deployment
        token = tokens.told_endpoint_token(event.environment, event.command_id, renewed.endpoint_token_hash)
        return _secret({"endpoint_token": token})

    return answer


def variables_set(event: Event) -> Response:
    """Tell what was set, without the values: the client has them."""
    variables = EnvironmentVariablesSet.model_validate_json(event.data).environment_variables
    return _ok({"environment_variables": [each.model_dump(exclude={"sealed_value"}) for each in variables]})


def variable_deleted(sealer: Sealer) -> Callable[[Event], Response]:
    """Return the answer to a deletion, with the last value as the contract has it."""

    def answer(event: Event) -> Response:
        variable = EnvironmentVariableDeleted.model_validate_json(event.data).environment_variable
        try:
            value = open_value(sealer, event.environment, variable)
        except Refused:  # the key is gone, and the variable too by now: that it is deleted is what counts
            value = None
        return _secret({"name": variable.name, "value": value})

    return answer


def deployment_deleted(event: Event) -> Response:
    deployment = DeploymentDeleted.model_validate_json(event.data).deployment
    return _ok({"name": deployment.name, "execution_rule": deployment.execution_rule})


def _step(request: Request, event: Event, step: Step, status: int) -> Response:
    response = json_response(spelled_page(request, documents_of(step).document), status, _headers(event))
    response.headers.update(VARY)
    return response


def _created(event: Event, document: dict[str, Any], status: int = 201) -> Response:
    return json_response(pydantic_core.to_json(document), status, _headers(event))


def _headers(event: Event) -> dict[str, str]:
    return {"Location": f"{API}/{quote(event.subject)}", "ETag": etag(event.sequence or 0)}


def _ok(document: dict[str, Any]) -> Response:
    return json_response(pydantic_core.to_json(document))


def _secret(document: dict[str, Any]) -> Response:
    return json_response(pydantic_core.to_json(document), headers={"Cache-Control": "no-store"})

"""The addresses of environment variables (source: sdk-contract 10)."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from events.commands import (
    MAX_VARIABLES,
    CommandData,
    EnvironmentVariableDeleteRequested,
    EnvironmentVariablesRequested,
)
from events.names import VariableName
from events.refusals import Code, Refused
from services.command import answers
from services.command.bodies import FORM_TYPE, JSON_TYPE, read_form_fields, read_json
from services.command.preferences import refuse_if_match
from services.command.submit import Submitter, validated
from services.kit.sealing import Sealer
from services.kit.tokens import Identity
from services.kit.variables import seal_value
from services.kit.web import Asker


class Variables(BaseModel):
    """Variables and their values, in the clear on the way here and nowhere behind."""

    environment_variables: dict[VariableName, str] = Field(min_length=1, max_length=MAX_VARIABLES)


class Value(BaseModel):
    """The value of the variable that the address names."""

    value: str


def variable_routes(submitter: Submitter, sealer: Sealer) -> APIRouter:
    """Return the routes that change environment variables."""
    router = APIRouter(tags=["environment variables"])
    deleted = answers.variable_deleted(sealer)

    @router.put("/environment-variables", openapi_extra=_body(Variables, JSON_TYPE))
    async def set_environment_variables(request: Request, asker: Asker) -> Response:
        """Set variables together, whether they exist or not. Their values are sealed before they go anywhere."""
        body = await read_json(request)
        data = _sealed(sealer, asker, body.get("environment_variables"))
        return await submitter.submit(request, asker, data, answers.variables_set)

    @router.put("/environment-variables/{name}", openapi_extra=_body(Value, FORM_TYPE))
    async def set_environment_variable(request: Request, asker: Asker, name: str) -> Response:
        """Set one variable, as clients up to 0.38 do."""
        form = await read_form_fields(request)
        data = _sealed(sealer, asker, {name: form.get("value")})
        return await submitter.submit(request, asker, data, answers.variables_set)

    @router.delete("/environment-variables/{name}")
    async def delete_environment_variable(request: Request, asker: Asker, name: str) -> Response:
        """Delete a variable; the answer has its last value. Deployments that name it stay."""
        refuse_if_match(request.headers)
        data = validated(EnvironmentVariableDeleteRequested, {"name": name})
        return await submitter.submit(request, asker, data, deleted)

    return router


def _body(model: type[BaseModel], media_type: str) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": {media_type: {"schema": model.model_json_schema()}}}}


def _sealed(sealer: Sealer, asker: Identity, given: Any) -> CommandData:
    """Return the command that sets `given`. Raises Refused: invalid_body, invalid_name; a value is never quoted."""
    if not isinstance(given, dict) or not all(isinstance(value, str) for value in given.values()):
        raise Refused(
            Code.INVALID_BODY,
            'Give each environment variable a text: {"environment_variables": {"NAME": "value"}} as JSON, '
            "or value=... as a form at the variable's own address.",
        )
    sealed = [
        {"name": name, "sealed_value": seal_value(sealer, asker.environment, name, value)}
        for name, value in given.items()
    ]
    return validated(EnvironmentVariablesRequested, {"environment_variables": sealed})

"""The addresses of environment variables (source: sdk-contract 10)."""

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from events.commands import (
    CommandData,
    EnvironmentVariableDeleteRequested,
    EnvironmentVariablesRequested,
)
from events.refusals import Code, Refused
from services.command import answers, contract
from services.command.bodies import read_form_fields, read_json
from services.command.preferences import refuse_if_match
from services.command.submit import Submitter, validated
from services.kit.parameters import EnvironmentVariableName
from services.kit.sealing import Sealer
from services.kit.tokens import Identity
from services.kit.variables import seal_value
from services.kit.web import Asker


def variable_routes(submitter: Submitter, sealer: Sealer) -> APIRouter:
    """Return the routes that change environment variables."""
    router = APIRouter(tags=["environment variables"])
    deleted = answers.variable_deleted(sealer)

    @router.put("/environment-variables", **contract.SET_ENVIRONMENT_VARIABLES)
    async def set_environment_variables(request: Request, asker: Asker) -> Response:
        """Set variables together, whether they exist or not. Their values are sealed before they go anywhere."""
        body = await read_json(request)
        data = _sealed(sealer, asker, body.get("environment_variables"))
        return await submitter.submit(request, asker, data, answers.variables_set)

    @router.put("/environment-variables/{name}", **contract.SET_ENVIRONMENT_VARIABLE)
    async def set_environment_variable(request: Request, asker: Asker, name: EnvironmentVariableName) -> Response:
        """Set one variable, as clients up to 0.38 do."""
        form = await read_form_fields(request)
        data = _sealed(sealer, asker, {name: form.get("value")})
        return await submitter.submit(request, asker, data, answers.variables_set)

    @router.delete("/environment-variables/{name}", **contract.DELETE_ENVIRONMENT_VARIABLE)
    async def delete_environment_variable(request: Request, asker: Asker, name: EnvironmentVariableName) -> Response:
        """Delete a variable; the answer has its last value. Deployments that name it stay."""
        refuse_if_match(request.headers)
        data = validated(EnvironmentVariableDeleteRequested, {"name": name})
        return await submitter.submit(request, asker, data, deleted)

    return router


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

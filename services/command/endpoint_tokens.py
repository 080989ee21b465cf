"""The address of endpoints' tokens (source: sdk-contract 7)."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from events.commands import EndpointTokenRequested
from services.command import answers, contract
from services.command.submit import Submitter, command_id_of, validated
from services.kit.parameters import DeploymentName
from services.kit.tokens import Tokens, hash_secret
from services.kit.web import Asker


def endpoint_token_routes(submitter: Submitter, tokens: Tokens) -> APIRouter:
    """Return the route that renews an endpoint's token."""
    router = APIRouter(tags=["deployments"])
    renewed = answers.endpoint_token_renewed(tokens)

    @router.post("/endpoints/{deployment_name}/generate-new-token", **contract.GENERATE_NEW_TOKEN)
    async def generate_new_token(request: Request, asker: Asker, deployment_name: DeploymentName) -> Response:
        """Give an endpoint a new token, told in this answer and nowhere else; the old one ends at once."""
        command_id = command_id_of(request, asker)
        token = tokens.endpoint_token(asker.environment, command_id)
        fields = {"name": deployment_name, "endpoint_token_hash": hash_secret(token).hex()}
        return await submitter.submit(request, asker, validated(EndpointTokenRequested, fields), renewed, command_id)

    return router

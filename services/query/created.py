"""A deployment's page for a client that waits for its creation to end (source: the SDK of 0.52 to 0.55).

Such a client drops the answer to its POST and asks for the page instead, again and again without a pause until the
status is `up` or `creation_failed`. When there is a page, the creation has ended; and an endpoint's token, which the
dropped answer told, is told here too: to the user who created the endpoint, for a minute.
"""

from typing import Any

import pydantic_core
from starlette.responses import Response

from events.resources import Deployment
from services.kit.backend import Backend
from services.kit.reading import reading
from services.kit.tokens import Identity
from services.kit.web import json_response
from services.query.reads import sql

CREATED = "up"


async def created_page(backend: Backend, asker: Identity, name: str, document: str) -> Response:
    """Return the page with the status that ends the waiting, and with the token of the asker's new endpoint."""
    told: dict[str, Any] = {**pydantic_core.from_json(document), "status": CREATED}
    token = await _new_token(backend, asker, name) if told["execution_rule"] == "endpoint" else None
    if token is not None:
        told["endpoint_token"] = token
    return json_response(pydantic_core.to_json(told), headers={"Cache-Control": "no-store"})


async def _new_token(backend: Backend, asker: Identity, name: str) -> str | None:
    """Return the token that the creating command told, unless the endpoint has another one."""
    async with reading(backend.pool) as connection:
        row = await sql.find_new_endpoint(connection, environment=asker.environment, name=name, actor=asker.user_id)
    if row is None:
        return None
    deployment = Deployment.model_validate_json(row["body"])
    return backend.tokens.told_endpoint_token(asker.environment, row["command_id"], deployment.endpoint_token_hash)

"""Tokens and users (source: sdk-contract 3)."""

from typing import Any
from uuid import UUID

import pydantic_core
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from events.refusals import Code, Refused
from services.kit.backend import Backend
from services.kit.examples import SECRET
from services.kit.reading import reading
from services.kit.tokens import Identity, hash_secret
from services.kit.web import Asker, json_response
from services.query import contract
from services.query.reads import sql

JWKS_AGE_S = 300


class Refresh(BaseModel):
    """An SDK token, to be exchanged for an access token."""

    model_config = ConfigDict(json_schema_extra={"example": {"refresh_token": SECRET}})

    refresh_token: str = Field(min_length=1, max_length=1000)


def user_router(backend: Backend) -> APIRouter:
    """Return the routes of tokens and users."""
    router = APIRouter(tags=["users"])

    @router.post("/auth/refresh", **contract.REFRESH)
    async def refresh(body: Refresh) -> Response:
        """Exchange an SDK token for a short-lived access token (a JWT)."""
        async with reading(backend.pool) as connection:
            row = await sql.find_token(connection, token_hash=hash_secret(body.refresh_token))
        if row is None:
            raise Refused(
                Code.INVALID_TOKEN, "The SDK token is unknown or revoked; ask an administrator for a new one."
            )
        token = backend.tokens.access_token(Identity(str(row["user_id"]), row["environment"]))
        return json_response(pydantic_core.to_json({"access_token": token}), headers={"Cache-Control": "no-store"})

    @router.get("/auth/jwks.json", **contract.GET_SIGNING_KEYS)
    async def get_signing_keys() -> Response:
        """Get the public keys of the access tokens that are accepted, as a JSON Web Key Set."""
        headers = {"Cache-Control": f"public, max-age={JWKS_AGE_S}"}
        return json_response(pydantic_core.to_json(backend.tokens.jwks()), headers=headers)

    @router.get("/users/me", **contract.WHO_AM_I)
    async def who_am_i(asker: Asker) -> Response:
        """Get the user whose token this is."""
        return await _user(backend, asker, UUID(asker.user_id))

    @router.get("/users/{user_id}", **contract.GET_USER)
    async def get_user(asker: Asker, user_id: UUID) -> Response:
        """Get a user who has a token in the same environment."""
        return await _user(backend, asker, user_id)

    return router


async def _user(backend: Backend, asker: Identity, user_id: UUID) -> Response:
    async with reading(backend.pool) as connection:
        row = await sql.find_user(connection, user_id=user_id, environment=asker.environment)
    if row is None:
        raise Refused(Code.USER_NOT_FOUND, f"There is no user {user_id} in this environment.")
    body: dict[str, Any] = {"id": str(row["id"]), "name": row["name"], "email": row["email"]}
    return json_response(pydantic_core.to_json(body))

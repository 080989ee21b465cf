"""Environments, users and tokens in Postgres."""

from typing import Any
from uuid import UUID, uuid4

import asyncpg
import uuid_utils

from events.names import has_control_characters, is_environment_id
from services.kit.postgres import Connection, load_queries
from services.kit.tokens import hash_secret, new_sdk_token

_sql = load_queries(__file__)


class ControlError(Exception):
    """An admin command that cannot be carried out; the message says why."""


async def create_environment(connection: Connection, environment: str) -> bool:
    """Create an environment; return False when it exists. Raises ControlError on an id that cannot be one."""
    if not is_environment_id(environment):
        raise ControlError(f"'{environment}' cannot be an environment id: use 1 to 63 of a-z, 0-9 and inner hyphens.")
    return await _sql.create_environment(connection, environment=environment) is not None


async def create_user(connection: Connection, name: str, email: str | None) -> UUID:
    """Return the id of the user of that name, creating it when it is new. Raises ControlError on an unusable name."""
    if not name.strip() or has_control_characters(name):
        raise ControlError(f"{name!r} cannot be a user's name: it is blank or has control characters.")
    user_id: UUID = await _sql.create_user(connection, user_id=uuid4(), name=name, email=email)
    return user_id


async def create_token(connection: Connection, environment: str, user_name: str) -> dict[str, str]:
    """Create an SDK token and return it: this is the only time that it can be read."""
    secret = new_sdk_token()
    token_id = UUID(int=uuid_utils.uuid7().int)
    try:
        done = await _sql.create_token(
            connection, token_id=token_id, token_hash=hash_secret(secret), environment=environment, user_name=user_name
        )
    except asyncpg.ForeignKeyViolationError as error:
        raise ControlError(f"There is no environment '{environment}'; create it first.") from error
    if done == "INSERT 0 0":
        raise ControlError(f"There is no user '{user_name}'; create it first.")
    return {"token_id": str(token_id), "environment": environment, "user": user_name, "sdk_token": secret}


async def list_environments(connection: Connection) -> list[dict[str, Any]]:
    """Return all environments."""
    return [dict(row) async for row in _sql.list_environments(connection)]


async def list_tokens(connection: Connection, environment: str) -> list[dict[str, Any]]:
    """Return the tokens of an environment, without their secrets."""
    return [dict(row) async for row in _sql.list_tokens(connection, environment=environment)]


async def revoke_token(connection: Connection, token_id: UUID) -> None:
    """End a token. Raises ControlError when there is none of that id, or it has ended already."""
    if await _sql.revoke_token(connection, token_id=token_id) is None:
        raise ControlError(f"There is no token {token_id} that could be revoked.")

"""Environments, users and tokens in Postgres."""

import re
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import asyncpg
import uuid_utils

from events.names import has_control_characters, is_environment_id
from services.kit.postgres import Connection
from services.kit.statements import load_queries
from services.kit.tokens import hash_secret, new_sdk_token

_sql = load_queries(__file__)


MAX_EMAIL = 254
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


class User(NamedTuple):
    """A user's id, and whether it was created just now."""

    id: UUID
    is_new: bool


class ControlError(Exception):
    """An admin command that cannot be carried out; the message says why."""


async def create_environment(connection: Connection, environment: str) -> bool:
    """Create an environment; return False when it exists. Raises ControlError on an id that cannot be one."""
    if not is_environment_id(environment):
        raise ControlError(f"'{environment}' cannot be an environment id: use 1 to 63 of a-z, 0-9 and inner hyphens.")
    return await _sql.create_environment(connection, environment=environment) is not None


async def demand_environment(connection: Connection, environment: str) -> None:
    """Raise ControlError when there is no environment of that id."""
    if not await _sql.has_environment(connection, environment=environment):
        raise ControlError(f"There is no environment '{environment}'; list-environments tells which there are.")


async def create_user(connection: Connection, name: str, email: str | None) -> User:
    """Return the user of that name, creating it when it is new.

    Raises ControlError on an unusable name or e-mail address, and when the user exists with another address.
    """
    if not name.strip() or has_control_characters(name):
        raise ControlError(f"{name!r} cannot be a user's name: it is blank or has control characters.")
    if email is not None and (len(email) > MAX_EMAIL or has_control_characters(email) or not _EMAIL.fullmatch(email)):
        raise ControlError(f"{email!r} is no e-mail address; write it as in ada@example.org.")
    new_id = await _sql.create_user(connection, user_id=uuid4(), name=name, email=email)
    if new_id is not None:
        return User(new_id, is_new=True)
    row = await _sql.find_user(connection, name=name)
    if email not in {None, row["email"]}:
        known = f"the e-mail address {row['email']}" if row["email"] else "no e-mail address"
        raise ControlError(f"There is a user '{name}' already, with {known}; nothing was changed.")
    return User(row["id"], is_new=False)


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


async def list_users(connection: Connection) -> list[dict[str, Any]]:
    """Return all users."""
    return [dict(row) async for row in _sql.list_users(connection)]


async def list_tokens(connection: Connection, environment: str) -> list[dict[str, Any]]:
    """Return the tokens of an environment, without their secrets. Raises ControlError when there is none of that id."""
    await demand_environment(connection, environment)
    return [dict(row) async for row in _sql.list_tokens(connection, environment=environment)]


async def revoke_token(connection: Connection, token_id: UUID) -> None:
    """End a token. Raises ControlError when there is none of that id, or it has ended already."""
    if await _sql.revoke_token(connection, token_id=token_id) is None:
        raise ControlError(f"There is no token {token_id} that could be revoked.")

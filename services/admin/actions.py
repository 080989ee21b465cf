"""What each admin command does; all but the rotation do it on Postgres."""

import argparse
from typing import Any

from services.admin import control
from services.admin.sessions import on_postgres
from services.kit.postgres import Connection
from services.kit.settings import Settings
from services.kit.signing_keys import rotate_signing_key, why_unusable


@on_postgres
async def bootstrap(connection: Connection, given: argparse.Namespace) -> Any:
    await control.create_environment(connection, given.environment)
    await control.create_user(connection, given.user, None)
    return await control.create_token(connection, given.environment, given.user)


@on_postgres
async def create_environment(connection: Connection, given: argparse.Namespace) -> Any:
    created = await control.create_environment(connection, given.environment)
    return {"environment": given.environment, "created": created}


@on_postgres
async def create_user(connection: Connection, given: argparse.Namespace) -> Any:
    user = await control.create_user(connection, given.user, given.email)
    return {"user": given.user, "user_id": user.id, "created": user.is_new}


@on_postgres
async def create_token(connection: Connection, given: argparse.Namespace) -> Any:
    return await control.create_token(connection, given.environment, given.user)


@on_postgres
async def list_environments(connection: Connection, _: argparse.Namespace) -> Any:
    return await control.list_environments(connection)


@on_postgres
async def list_users(connection: Connection, _: argparse.Namespace) -> Any:
    return await control.list_users(connection)


@on_postgres
async def list_tokens(connection: Connection, given: argparse.Namespace) -> Any:
    return await control.list_tokens(connection, given.environment)


@on_postgres
async def revoke_token(connection: Connection, given: argparse.Namespace) -> Any:
    await control.revoke_token(connection, given.token_id)
    return {"token_id": given.token_id, "revoked": True}


async def rotate(settings: Settings, given: argparse.Namespace) -> Any:
    """Put a new signing key first, and tell which keys are then accepted by the ids that tokens name."""
    path = settings.auth.signing_key_file
    try:
        accepted = rotate_signing_key(path, drop_previous=given.drop_previous)
    except (OSError, ValueError) as error:
        raise control.ControlError(f"{why_unusable(path, error)}.") from error
    return {"signing_key_file": path, "signs_with": accepted[0], "accepts": accepted}

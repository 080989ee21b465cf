"""The admin commands: `python -m services.admin --help`. Each prints JSON."""

import argparse
import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import asyncpg
from pydantic import ValidationError

from services.admin import control
from services.kit.postgres import POSTGRES_TROUBLE, Connection, connect
from services.kit.settings import Settings

Run = Callable[[Connection, argparse.Namespace], Awaitable[Any]]


async def _bootstrap(connection: Connection, given: argparse.Namespace) -> Any:
    await control.create_environment(connection, given.environment)
    await control.create_user(connection, given.user, None)
    return await control.create_token(connection, given.environment, given.user)


async def _create_environment(connection: Connection, given: argparse.Namespace) -> Any:
    return {
        "environment": given.environment,
        "created": await control.create_environment(connection, given.environment),
    }


async def _create_user(connection: Connection, given: argparse.Namespace) -> Any:
    return {"user": given.user, "user_id": await control.create_user(connection, given.user, given.email)}


async def _create_token(connection: Connection, given: argparse.Namespace) -> Any:
    return await control.create_token(connection, given.environment, given.user)


async def _list_environments(connection: Connection, _: argparse.Namespace) -> Any:
    return await control.list_environments(connection)


async def _list_tokens(connection: Connection, given: argparse.Namespace) -> Any:
    return await control.list_tokens(connection, given.environment)


async def _revoke_token(connection: Connection, given: argparse.Namespace) -> Any:
    await control.revoke_token(connection, given.token_id)
    return {"token_id": given.token_id, "revoked": True}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="pipeloom admin",
        description="Environments, users and SDK tokens. Works on the Postgres that PIPELOOM_POSTGRES__DSN names.",
        epilog="example: pipeloom admin bootstrap --environment demo --user ada",
    )
    actions = parser.add_subparsers(required=True, metavar="COMMAND")

    def action(name: str, run: Run, text: str, *options: str) -> argparse.ArgumentParser:
        sub = actions.add_parser(name, help=text, description=text)
        sub.set_defaults(run=run)
        for option in options:
            sub.add_argument(f"--{option}", required=True)
        return sub

    action("bootstrap", _bootstrap, "environment, user and SDK token in one go", "environment", "user")
    action("create-environment", _create_environment, "create an environment", "environment")
    action("create-user", _create_user, "create a user", "user").add_argument("--email")
    action("create-token", _create_token, "create an SDK token; it is shown this once", "environment", "user")
    action("list-environments", _list_environments, "list the environments")
    action("list-tokens", _list_tokens, "list an environment's tokens, without the secrets", "environment")
    revoke = action("revoke-token", _revoke_token, "end an SDK token; access tokens end within their life")
    revoke.add_argument("--token-id", required=True, type=UUID)
    return parser


async def _carry_out(given: argparse.Namespace) -> Any:
    connection = await connect(Settings().postgres)
    try:
        return await given.run(connection, given)
    finally:
        await connection.close()


def main() -> None:
    """Carry out one admin command. Exits with 1 and a sentence when it cannot be."""
    given = _parser().parse_args()
    try:
        answer = asyncio.run(_carry_out(given))
    except ValidationError as error:
        sys.exit(f"pipeloom admin: the settings cannot be used: {error}")
    except control.ControlError as error:
        sys.exit(f"pipeloom admin: {error}")
    except asyncpg.UndefinedTableError:
        sys.exit("pipeloom admin: the database has no schema yet; run `pipeloom init` first.")
    except POSTGRES_TROUBLE as error:
        sys.exit(f"pipeloom admin: Postgres cannot be used (PIPELOOM_POSTGRES__DSN): {error}")
    print(json.dumps(answer, default=str))


if __name__ == "__main__":
    main()

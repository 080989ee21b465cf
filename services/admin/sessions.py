"""A connection to Postgres for the length of one admin command."""

import argparse
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, TypeAlias

from services.kit.postgres import Connection, connect
from services.kit.settings import Settings

Run: TypeAlias = Callable[[Settings, argparse.Namespace], Awaitable[Any]]


def on_postgres(run: Callable[[Connection, argparse.Namespace], Awaitable[Any]]) -> Run:
    """Give an action a connection of its own."""

    @wraps(run)
    async def connected(settings: Settings, given: argparse.Namespace) -> Any:
        connection = await connect(settings.postgres)
        try:
            return await run(connection, given)
        finally:
            await connection.close()

    return connected

"""Reads the projection; when Postgres cannot be read, says so instead of guessing."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from events.names import why_unaddressable
from events.refusals import Code, Refused
from services.kit.postgres import POSTGRES_TROUBLE, Connection, Pool, borrowed, load_queries

READ_S = 5.0

sql = load_queries(__file__)


@asynccontextmanager
async def reading(pool: Pool, within_s: float = READ_S) -> AsyncIterator[Connection]:
    """Lend a connection to read with for `within_s` seconds; turn trouble with Postgres into a refusal (503)."""
    try:
        async with borrowed(pool, within_s) as connection:
            yield connection
    except POSTGRES_TROUBLE as error:
        raise Refused(
            Code.POSTGRES_UNAVAILABLE,
            "The projection cannot be read right now. Commands that were acknowledged are kept and composed later; "
            "try again.",
        ) from error


async def find_one(pool: Pool, statement: Any, environment: str, name: str) -> Any:
    """Return the row of that name, or None; also for a name that no resource can have and Postgres cannot hold."""
    if why_unaddressable(name):
        return None
    async with reading(pool) as connection:
        return await statement(connection, environment=environment, name=name)

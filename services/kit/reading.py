"""Reads Postgres for a request; when it cannot be read, says so instead of guessing."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from events.refusals import Code, Refused
from services.kit.postgres import POSTGRES_TROUBLE, Connection, Pool, borrowed

READ_S = 5.0


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

"""Writes control data for a request; when the end of the write is not known, says so instead of guessing."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from events.refusals import Code, Refused
from services.kit.postgres import POSTGRES_TROUBLE, Connection, Pool, borrowed

WRITE_S = 5.0


@asynccontextmanager
async def writing(pool: Pool, what: str) -> AsyncIterator[Connection]:
    """Lend a connection in a transaction that changes `what`, such as "the webhook".

    Raises Refused postgres_unavailable when the transaction does not come to its end: its commit may have been lost on
    the way to Postgres or on the way back.
    """
    try:
        async with borrowed(pool, WRITE_S) as connection, connection.transaction():
            yield connection
    except POSTGRES_TROUBLE as error:
        raise Refused(
            Code.POSTGRES_UNAVAILABLE,
            f"Postgres did not answer, so {what} may or may not be changed. Look at it, or send the same again with "
            "the same Idempotency-Key.",
        ) from error

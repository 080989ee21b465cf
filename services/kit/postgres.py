"""Postgres: connections and connection pools with deadlines."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeAlias

import asyncpg
import asyncpg.pool

from services.kit.pools import WAITING, counted_errors, watch_pool
from services.kit.settings import PostgresSettings

CONNECT_TIMEOUT_S = 5.0
LEND_S = 3.0
COMMAND_TIMEOUT_S = 10.0

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"

# What a statement raises when Postgres or the way to it is in trouble. A backend that is killed in the middle of
# something can leave asyncpg in a state that it reports as InternalClientError, which is of neither other kind.
POSTGRES_TROUBLE = (
    OSError,
    TimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)

# A session keeps a statement's plan, and that of a foreign key's check, until the statistics change. One that was made
# while the tables were small would read them as a whole, and does so while they grow: so nothing is read as a whole
# where an index leads there. Nor is any statement here worth compiling.
INDEXED = {"enable_seqscan": "off", "jit": "off"}

# A paused process must not keep a lock that its successor waits for.
SERVER_SETTINGS = {
    **INDEXED,
    "application_name": "pipeloom",
    "idle_in_transaction_session_timeout": "5s",
    "lock_timeout": "5s",
    "statement_timeout": "10s",
}


def open_pool(postgres: PostgresSettings, *, size: int | None = None) -> Pool:
    """Return a pool that connects when it is first awaited, and again after Postgres was away."""
    pool = asyncpg.create_pool(
        postgres.dsn.get_secret_value(),
        min_size=0,
        max_size=size or postgres.pool_size,
        timeout=CONNECT_TIMEOUT_S,
        command_timeout=COMMAND_TIMEOUT_S,
        server_settings=SERVER_SETTINGS,
        reset=_nothing_to_reset,
    )
    watch_pool(pool)
    return pool


async def _nothing_to_reset(_: Connection) -> None:
    """Spare a round trip for each use: what is borrowed is left without settings, cursors, locks and listeners.

    asyncpg itself still rolls back a transaction that was left open.
    """


@asynccontextmanager
async def borrowed(pool: Pool, within_s: float = COMMAND_TIMEOUT_S) -> AsyncIterator[Connection]:
    """Lend a connection of `pool` for the block; getting it, the block and giving it back take `within_s` seconds.

    Raises one of POSTGRES_TROUBLE. (A statement that is run on the pool itself waits without bound for its connection
    to be cleaned up when Postgres hangs.)
    """
    with counted_errors():
        async with asyncio.timeout(within_s):
            connection = await _acquired(pool, min(LEND_S, within_s))
            try:
                yield connection
            except asyncio.CancelledError:
                connection.terminate()  # to clean it up would be to wait once more for the server that did not answer
                raise
            finally:
                await pool.release(connection)


async def _acquired(pool: Pool, within_s: float) -> "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]":
    # A deadline of the pool's own would be a task for each use.
    with WAITING.track_inprogress():
        async with asyncio.timeout(within_s):
            return await pool.acquire()


async def connect(postgres: PostgresSettings) -> "asyncpg.Connection[asyncpg.Record]":
    """Return a connection of one's own, for LISTEN or for a session lock."""
    return await asyncpg.connect(
        postgres.dsn.get_secret_value(),
        timeout=CONNECT_TIMEOUT_S,
        command_timeout=COMMAND_TIMEOUT_S,
        server_settings=SERVER_SETTINGS,
    )

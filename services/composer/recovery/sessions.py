"""A connection for work that takes minutes: longer deadlines than the services have, but deadlines."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from services.kit.postgres import CONNECT_TIMEOUT_S, INDEXED
from services.kit.settings import PostgresSettings

STATEMENT_S = 900.0
CLOSE_S = 5.0

SERVER_SETTINGS = {
    **INDEXED,
    "application_name": "pipeloom recovery",
    "idle_in_transaction_session_timeout": "60s",
    "lock_timeout": "5s",
    "statement_timeout": "900s",
}


@asynccontextmanager
async def patient_connection(postgres: PostgresSettings) -> "AsyncIterator[asyncpg.Connection[asyncpg.Record]]":
    """Give a connection of one's own for the length of the block."""
    connection = await asyncpg.connect(
        postgres.dsn.get_secret_value(),
        timeout=CONNECT_TIMEOUT_S,
        command_timeout=STATEMENT_S,
        server_settings=SERVER_SETTINGS,
    )
    try:
        yield connection
        await connection.close(timeout=CLOSE_S)
    finally:
        connection.terminate()

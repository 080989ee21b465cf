"""Who moved which cursor where, written down by Postgres itself."""

import asyncpg

from services.kit.postgres import Connection
from services.kit.statements import load_queries

_sql = load_queries(__file__)


async def install(connection: Connection) -> None:
    """Have every move of a cursor written down from now on."""
    await _sql.install_audit(connection)


async def moves(connection: Connection) -> list[asyncpg.Record]:
    """Return all moves; those of one cursor in the order in which they were committed."""
    return [row async for row in _sql.audit(connection)]

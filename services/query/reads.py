"""Reads the projection."""

from typing import Any

from events.names import why_unaddressable
from services.kit.postgres import Pool
from services.kit.reading import reading
from services.kit.statements import load_queries

sql = load_queries(__file__)


async def find_one(pool: Pool, statement: Any, environment: str, name: str) -> Any:
    """Return the row of that name, or None; also for a name that no resource can have and Postgres cannot hold."""
    if why_unaddressable(name):
        return None
    async with reading(pool) as connection:
        return await statement(connection, environment=environment, name=name)

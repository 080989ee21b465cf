"""The named SQL statements that stand next to their module, as functions of a connection and named parameters."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiosql
from aiosql.adapters.asyncpg import AsyncPGAdapter


class _OnConnections(AsyncPGAdapter):
    """Sends a statement on the connection that it is given.

    aiosql's own adapter looks at each use whether it was given a pool, which takes as long as the rest of it.
    """

    async def select(
        self,
        conn: Any,
        query_name: str,
        sql: str,
        parameters: Any,
        record_class: Any = None,  # noqa: ARG002 - the signature is aiosql's
    ) -> AsyncIterator[Any]:
        for row in await conn.fetch(sql, *self._ordered(query_name, parameters)):
            yield row

    async def select_one(
        self,
        conn: Any,
        query_name: str,
        sql: str,
        parameters: Any,
        record_class: Any = None,  # noqa: ARG002 - the signature is aiosql's
    ) -> Any:
        return await conn.fetchrow(sql, *self._ordered(query_name, parameters))

    async def select_value(self, conn: Any, query_name: str, sql: str, parameters: Any) -> Any:
        return await conn.fetchval(sql, *self._ordered(query_name, parameters))

    def _ordered(self, query_name: str, parameters: Any) -> list[Any]:
        return [parameters[name] for name in self.var_sorted[query_name]] if parameters else []


def load_queries(module_file: str) -> Any:
    """Return the statements of the `.sql` file that stands next to `module_file` under the same name."""
    adapter: Any = _OnConnections
    return aiosql.from_path(Path(module_file).with_suffix(".sql"), adapter, mandatory_parameters=False)

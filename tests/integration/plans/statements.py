"""Every named statement of the services, and the plan that a session of theirs would keep for it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiosql

import services
from services.kit.postgres import Connection

ROOT = Path(services.__file__).parent
# Of these an environment has any number, a partition too: its id alone says little.
MANY_IN_ONE = {"step", "pipeline", "deployment", "environment_variable", "inbox", "event_log", "dead_letter"}


@dataclass(frozen=True)
class Statement:
    """One statement under the name of its file and its own, for example `query/reads.find_pipeline`."""

    name: str
    sql: str
    is_script: bool

    def __str__(self) -> str:
        return self.name


def all_statements() -> Iterator[Statement]:
    """Yield every statement that stands in a `.sql` file of the services."""
    for file in sorted(ROOT.rglob("*.sql")):
        queries = aiosql.from_path(file, "asyncpg", mandatory_parameters=False)
        for name in sorted(queries.available_queries):
            if not name.endswith("_cursor"):
                query = getattr(queries, name)
                place = file.relative_to(ROOT).with_suffix("")
                yield Statement(f"{place}.{name}", query.sql, query.operation.name == "SCRIPT")


@dataclass(frozen=True)
class Scan:
    """One way into a table: how, by which index, and under which conditions of it."""

    kind: str
    table: str
    index: str
    condition: str

    @property
    def is_narrow(self) -> bool:
        """Whether an index leads to what is wanted, by more than the environment or the partition."""
        wanted = 2 if self.table.removeprefix("replayed_") in MANY_IN_ONE else 1
        return bool(self.condition) and self.condition.count(" AND ") + 1 >= wanted

    def __str__(self) -> str:
        by = f" by {self.index} ({self.condition or 'all of it'})" if self.index else ""
        return f"{self.kind} of {self.table}{by}"


async def scans_of(connection: Connection, statement: Statement) -> list[Scan]:
    """Return how the generic plan of a statement gets at each table."""
    prepared = await connection.prepare(statement.sql)
    given = ", ".join(["NULL"] * len(prepared.get_parameters()))
    await connection.execute("SET plan_cache_mode = force_generic_plan")
    await connection.execute(f"PREPARE planned AS {statement.sql}")
    try:
        asked = f"EXPLAIN (FORMAT JSON) EXECUTE planned({given})" if given else "EXPLAIN (FORMAT JSON) EXECUTE planned"
        (row,) = await connection.fetch(asked)
    finally:
        await connection.execute("DEALLOCATE planned")
    return list(_scans(json.loads(row[0])[0]["Plan"]))


def _scans(node: dict[str, Any], table: str = "") -> Iterator[Scan]:
    kind = node["Node Type"]
    table = node.get("Relation Name", table)
    if kind == "Seq Scan":
        yield Scan(kind, table, "", "")
    elif kind in {"Index Scan", "Index Only Scan", "Bitmap Index Scan"}:
        yield Scan(kind, table, node["Index Name"], node.get("Index Cond", ""))
    for child in node.get("Plans", ()):
        yield from _scans(child, table if kind == "Bitmap Heap Scan" else "")

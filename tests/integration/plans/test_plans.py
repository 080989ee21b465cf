"""Every statement of the services gets at growing tables by an index, also by a plan from when they were small."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import aiosql
import pytest
from pydantic import SecretStr

from services.kit.migrations import migrate
from services.kit.postgres import Connection, connect
from services.kit.settings import PostgresSettings
from tests.integration.plans.allowed import ALLOWED, BOUNDED
from tests.integration.plans.statements import ROOT, Scan, Statement, all_statements, scans_of
from tests.integration.plans.tables import grow
from tests.support.servers import Servers

STATEMENTS = [statement for statement in all_statements() if not statement.is_script]
SIZES = ("small", "grown")


@pytest.fixture(scope="module")
async def sessions(servers: Servers) -> AsyncIterator[dict[str, Connection]]:
    """Sessions on empty tables and on grown ones, each with the tables of a rebuild too."""
    async with AsyncExitStack() as opened:
        found: dict[str, Connection] = {}
        for size in SIZES:
            postgres = PostgresSettings(dsn=SecretStr(await servers.new_database()))
            await asyncio.to_thread(migrate, postgres)
            connection = found[size] = await connect(postgres)
            opened.push_async_callback(connection.close)
            if size == "grown":
                await grow(connection)
            await _open_rebuild(connection)
        yield found


async def _open_rebuild(connection: Connection) -> None:
    scripts = aiosql.from_path(ROOT / "composer/recovery/scratch.sql", "asyncpg", mandatory_parameters=False)
    await scripts.make_lasting(connection)
    await scripts.use_lasting(connection)


def reads_all(scan: Scan) -> bool:
    """Tell whether a scan reads a whole table, or all that an environment has in it, and the table grows."""
    return scan.table.removeprefix("replayed_") not in BOUNDED and not scan.is_narrow


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("statement", STATEMENTS, ids=str)
async def test_a_statement_gets_at_growing_tables_by_an_index(
    sessions: dict[str, Connection], statement: Statement, size: str
) -> None:
    # When
    scans = await scans_of(sessions[size], statement)
    # Then
    wide = {scan.table: str(scan) for scan in scans if reads_all(scan)}
    allowed = ALLOWED.get(statement.name, {})
    assert {table: scan for table, scan in wide.items() if table not in allowed} == {}, (
        "reads all of a table that grows; mend the statement or the index, or say in allowed.py why it may"
    )


def test_what_is_allowed_is_there() -> None:
    assert set(ALLOWED) - {statement.name for statement in STATEMENTS} == set()


@pytest.mark.parametrize("name", sorted(ALLOWED))
async def test_nothing_is_allowed_that_is_not_needed(sessions: dict[str, Connection], name: str) -> None:
    # Given
    (statement,) = (each for each in STATEMENTS if each.name == name)
    # When
    scans = [scan for connection in sessions.values() for scan in await scans_of(connection, statement)]
    # Then
    assert set(ALLOWED[name]) - {scan.table for scan in scans if reads_all(scan)} == set()

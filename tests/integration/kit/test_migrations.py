"""The database's schema: brought up to date, left alone when it is, and taken back."""

import asyncio
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg
import pytest
import yoyo
from psycopg import OperationalError
from pydantic import SecretStr

from pipeloom.local.ports import HOST, pick_port
from services.kit.migrations import MIGRATIONS, migrate
from services.kit.settings import PostgresSettings
from tests.support.installation import unique
from tests.support.servers import Servers

OURS = """
SELECT table_name FROM information_schema.tables
WHERE table_schema = 'public' AND table_name NOT LIKE '%yoyo%' ORDER BY table_name
"""


@pytest.fixture
async def empty(servers: Servers) -> PostgresSettings:
    """A database without a schema."""
    return PostgresSettings(dsn=SecretStr(await servers.new_database()))


async def tables(postgres: PostgresSettings) -> list[str]:
    connection = await asyncpg.connect(postgres.dsn.get_secret_value())
    try:
        return [row["table_name"] for row in await connection.fetch(OURS)]
    finally:
        await connection.close()


def roll_back(postgres: PostgresSettings) -> list[str]:
    _, _, rest = postgres.dsn.get_secret_value().partition("://")
    backend = yoyo.get_backend(f"postgresql+psycopg://{rest}")
    try:
        with backend.lock():
            applied = backend.to_rollback(yoyo.read_migrations(str(MIGRATIONS)))
            backend.rollback_migrations(applied)
    finally:
        backend.connection.close()
    return [migration.id for migration in applied]


async def test_migrations_are_applied_once(empty: PostgresSettings) -> None:
    first = await asyncio.to_thread(migrate, empty)
    made = await tables(empty)
    second = await asyncio.to_thread(migrate, empty)
    assert first == sorted(path.stem for path in MIGRATIONS.glob("*.sql") if "rollback" not in path.name)
    assert (second, await tables(empty)) == ([], made)
    assert {"step", "pipeline", "deployment", "event_log", "inbox", "partition_cursor"} <= set(made)


async def test_migrations_are_taken_back_without_a_trace_and_applied_again(empty: PostgresSettings) -> None:
    # Given
    applied = await asyncio.to_thread(migrate, empty)
    made = await tables(empty)
    # When
    taken_back = await asyncio.to_thread(roll_back, empty)
    # Then
    assert (taken_back, await tables(empty)) == (list(reversed(applied)), [])
    assert await asyncio.to_thread(migrate, empty) == applied
    assert await tables(empty) == made


async def test_several_processes_that_migrate_at_once_do_it_once(empty: PostgresSettings) -> None:
    applied = await asyncio.gather(*(asyncio.to_thread(migrate, empty) for _ in range(4)))
    assert [len(each) for each in applied if each] == [len(yoyo.read_migrations(str(MIGRATIONS)))]
    assert await tables(empty)


async def test_a_user_and_a_password_may_hold_any_character(servers: Servers, empty: PostgresSettings) -> None:
    # Given
    user, password = unique("ada@lab"), "p@ss:w/rd?#%"
    database = urlsplit(empty.dsn.get_secret_value())
    connection = await asyncpg.connect(servers.dsn)
    try:
        await connection.execute(f"""CREATE ROLE "{user}" LOGIN SUPERUSER PASSWORD '{password}'""")
    finally:
        await connection.close()
    login = f"{quote(user, safe='')}:{quote(password, safe='')}"
    dsn = urlunsplit(database._replace(netloc=f"{login}@{database.hostname}:{database.port}"))
    # When
    applied = await asyncio.to_thread(migrate, PostgresSettings(dsn=SecretStr(dsn)))
    # Then
    assert applied


async def test_a_postgres_that_is_away_is_told() -> None:
    away = PostgresSettings(dsn=SecretStr(f"postgresql://ada@{HOST}:{pick_port()}/lab"))
    with pytest.raises(OperationalError, match="refused"):
        await asyncio.to_thread(migrate, away)

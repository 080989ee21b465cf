"""The database's schema: brought up to date, left alone when it is, and taken back."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg
import pytest
import yoyo
from psycopg import OperationalError
from pydantic import SecretStr

from pipeloom.local.ports import HOST, pick_port
from services.init.__main__ import main
from services.kit import migrations
from services.kit.migrations import MigrationsLocked, UnusableDatabaseError, migrate
from services.kit.process import StartError
from services.kit.schema import MIGRATIONS, demand_migrated
from services.kit.settings import PostgresSettings
from tests.support.installation import unique
from tests.support.servers import Servers

OURS = """
SELECT table_name FROM information_schema.tables
WHERE table_schema = 'public' AND table_name NOT LIKE '%yoyo%' AND table_name <> 'applied_migration' ORDER BY table_name
"""

HOLDER = """
import sys
import yoyo
from services.kit import migrations

backend = yoyo.get_backend(sys.argv[1].replace("postgresql://", "postgresql+psycopg://"))
with migrations._locked(backend), backend.lock():
    print("locked", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
async def empty(servers: Servers) -> PostgresSettings:
    """A database without a schema."""
    return PostgresSettings(dsn=SecretStr(await servers.new_database()))


async def run_sql(postgres: PostgresSettings, sql: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(postgres.dsn.get_secret_value())
    try:
        return list(await connection.fetch(sql))
    finally:
        await connection.close()


async def tables(postgres: PostgresSettings) -> list[str]:
    return [row["table_name"] for row in await run_sql(postgres, OURS)]


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


@asynccontextmanager
async def a_process_that_migrates(postgres: PostgresSettings) -> AsyncIterator[asyncio.subprocess.Process]:
    """Give a process that holds our lock and yoyo's; it is killed with SIGKILL at the latest when the block ends."""
    dsn, pipe = postgres.dsn.get_secret_value(), asyncio.subprocess.PIPE
    holder = await asyncio.create_subprocess_exec(sys.executable, "-c", HOLDER, dsn, stdin=pipe, stdout=pipe)
    try:
        assert holder.stdout is not None
        assert await asyncio.wait_for(holder.stdout.readline(), 30) == b"locked\n"
        yield holder
    finally:
        if holder.returncode is None:
            holder.kill()
        await holder.communicate()


async def test_a_killed_process_does_not_keep_the_next_one_from_migrating(empty: PostgresSettings) -> None:
    # Given
    async with a_process_that_migrates(empty) as holder:
        waiting = asyncio.create_task(asyncio.to_thread(migrate, empty))
        # When
        holder.kill()
        await asyncio.wait_for(holder.wait(), 10)
        # Then
        assert len(await asyncio.wait_for(waiting, 30)) == len(yoyo.read_migrations(str(MIGRATIONS)))


async def test_a_process_that_goes_on_migrating_is_not_waited_for_for_ever(
    empty: PostgresSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "LOCK_TIMEOUT_S", 0.2)
    async with a_process_that_migrates(empty):
        with pytest.raises(MigrationsLocked, match="another process has been migrating this database"):
            await asyncio.to_thread(migrate, empty)
        assert "step" not in await tables(empty)


async def test_init_tells_that_another_process_migrates_as_a_sentence(
    empty: PostgresSettings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr("services.init.__main__.configure_logs", lambda *_: None)
    monkeypatch.setenv("PIPELOOM_POSTGRES__DSN", empty.dsn.get_secret_value())
    monkeypatch.setenv("PIPELOOM_AUTH__SIGNING_KEY_FILE", str(tmp_path / "key.pem"))
    monkeypatch.setattr(migrations, "LOCK_TIMEOUT_S", 0.2)
    async with a_process_that_migrates(empty):
        with pytest.raises(SystemExit) as ended:
            await asyncio.to_thread(main)
    assert ended.value.code == 1
    assert capsys.readouterr().err.startswith("pipeloom init: another process has been migrating this database")


async def test_a_database_whose_migrations_were_edited_since_is_refused(empty: PostgresSettings) -> None:
    await asyncio.to_thread(migrate, empty)
    await run_sql(empty, "UPDATE applied_migration SET sha256 = 'of another version' WHERE id = '0001.initial'")
    with pytest.raises(UnusableDatabaseError, match=r"another version of Pipeloom: the migrations 0001\.initial"):
        await asyncio.to_thread(migrate, empty)


async def test_a_database_of_a_newer_version_is_refused(empty: PostgresSettings) -> None:
    await asyncio.to_thread(migrate, empty)
    await run_sql(empty, "INSERT INTO _yoyo_migration (migration_hash, migration_id) VALUES ('x', '9999.newer')")
    with pytest.raises(UnusableDatabaseError, match=r"the migrations 9999\.newer were applied"):
        await asyncio.to_thread(migrate, empty)


async def test_a_database_that_does_not_say_what_made_it_is_refused_and_left_alone(empty: PostgresSettings) -> None:
    # Given
    await asyncio.to_thread(migrate, empty)
    await run_sql(empty, "DROP TABLE applied_migration, environment_variable")
    await run_sql(empty, "DELETE FROM _yoyo_migration WHERE migration_id LIKE '0003%'")
    before = await tables(empty)
    # When
    with pytest.raises(UnusableDatabaseError, match=r"the migrations 0001\.initial.* another --data-dir"):
        await asyncio.to_thread(migrate, empty)
    # Then
    assert await tables(empty) == before


async def test_a_process_that_is_killed_before_it_applies_leaves_a_database_that_can_be_migrated(
    empty: PostgresSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(yoyo.backends.DatabaseBackend, "apply_migrations", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            await asyncio.to_thread(migrate, empty)
    assert len(await asyncio.to_thread(migrate, empty)) == len(yoyo.read_migrations(str(MIGRATIONS)))


async def test_a_service_does_not_start_on_a_database_that_is_behind(empty: PostgresSettings) -> None:
    with pytest.raises(StartError, match=r"lacks the migrations 0001\.initial.*; run `pipeloom init` first"):
        await demand_migrated(empty)
    await asyncio.to_thread(migrate, empty)
    await demand_migrated(empty)
    await run_sql(empty, "DELETE FROM _yoyo_migration WHERE migration_id <> '0001.initial'")
    with pytest.raises(StartError, match=r"lacks the migrations 0003"):
        await demand_migrated(empty)


async def test_a_service_starts_though_postgres_is_away() -> None:
    await demand_migrated(PostgresSettings(dsn=SecretStr(f"postgresql://ada@{HOST}:{pick_port()}/lab")))


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

"""The embedded Postgres: kept data and port, killed, cancelled, behind a password, durable."""

import asyncio
import os
import signal
import stat
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import asyncpg
import psutil
import pytest

from pipeloom.local import locks
from pipeloom.local.errors import PortTakenError, StartError
from pipeloom.local.postgres import EmbeddedPostgres

Alive = Callable[[int], bool]
Family = Callable[[int], list[int]]
Until = Callable[..., Awaitable[None]]


@pytest.fixture
async def postgres(tmp_path: Path) -> AsyncIterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(tmp_path / "postgres")
    await server.start()
    yield server
    await server.stop()


async def query(dsn: str, sql: str) -> object:
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        return await connection.fetchval(sql, timeout=10)
    finally:
        await connection.close(timeout=5)


async def test_a_killed_server_comes_back_on_the_same_port_with_its_rows(postgres: EmbeddedPostgres) -> None:
    dsn = postgres.dsn()
    await query(dsn, "CREATE TABLE kept AS SELECT 42 AS answer")
    session = await asyncpg.connect(dsn, timeout=10)

    os.kill(postgres.pid, signal.SIGKILL)
    assert await asyncio.wait_for(postgres.wait(), 10) == -signal.SIGKILL
    await asyncio.wait_for(postgres.start(), 20)

    assert postgres.dsn() == dsn
    assert await query(dsn, "SELECT answer FROM kept") == 42
    session.terminate()


async def test_a_killed_session_does_not_end_the_server(
    postgres: EmbeddedPostgres, tmp_path: Path, until: Until
) -> None:
    pid, log = postgres.pid, tmp_path / "postgres" / "postgres.log"
    starts = log.read_text().count("ready to accept connections")
    session = await asyncpg.connect(postgres.dsn(), timeout=10)
    os.kill(await session.fetchval("SELECT pg_backend_pid()"), signal.SIGKILL)
    await until(lambda: log.read_text().count("ready to accept connections") == starts + 1)

    assert session.is_closed()
    assert postgres.pid == pid
    assert await query(postgres.dsn(), "SELECT 1") == 1


async def test_a_second_server_object_finds_port_password_and_data_again(tmp_path: Path) -> None:
    first = EmbeddedPostgres(tmp_path / "postgres")
    await first.start()
    await first.ensure_database('odd "name"')
    await first.ensure_database('odd "name"')
    await first.stop()

    second = EmbeddedPostgres(tmp_path / "postgres")
    await second.start()

    assert second.dsn("x") == first.dsn("x")
    assert await query(second.dsn(), "SELECT count(*) FROM pg_database WHERE datname LIKE 'odd%'") == 1
    await second.stop()


async def test_commits_are_durable_and_connections_plenty(postgres: EmbeddedPostgres) -> None:
    settings = ("fsync", "synchronous_commit", "full_page_writes", "max_connections", "listen_addresses")

    found = [await query(postgres.dsn(), f"SHOW {name}") for name in settings]

    assert found == ["on", "on", "on", "200", "127.0.0.1"]


async def test_a_wrong_password_is_refused(postgres: EmbeddedPostgres) -> None:
    port = postgres.dsn().rpartition(":")[2]

    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(f"postgresql://pipeloom:guess@127.0.0.1:{port}", timeout=10)


async def test_the_password_is_in_a_private_file_and_on_no_command_line(
    postgres: EmbeddedPostgres, tmp_path: Path, family: Family
) -> None:
    file = tmp_path / "postgres" / "password"
    password = file.read_text().strip()

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert password in postgres.dsn()
    assert not [pid for pid in family(postgres.pid) if any(password in word for word in command_line(pid))]


def command_line(pid: int) -> list[str]:
    """Return a process's words, or none when it has just ended, as Postgres's workers do."""
    try:
        return psutil.Process(pid).cmdline()
    except psutil.NoSuchProcess:
        return []


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user runs Postgres as itself")
async def test_root_runs_it_as_another_account_in_a_folder_of_its_own(
    postgres: EmbeddedPostgres, tmp_path: Path
) -> None:
    assert psutil.Process(postgres.pid).username() == "nobody"
    assert tmp_path.parent.stat().st_mode & 0o077 == 0, "pytest's folders are private, so this proves something"


async def test_a_stop_ends_sessions_in_flight(postgres: EmbeddedPostgres, alive: Alive, family: Family) -> None:
    session = await asyncpg.connect(postgres.dsn(), timeout=10)
    sleeping = asyncio.create_task(session.execute("SELECT pg_sleep(600)"))
    members = family(postgres.pid)

    await asyncio.wait_for(postgres.stop(), 10)

    with pytest.raises(asyncpg.PostgresError):
        await sleeping
    assert not [pid for pid in members if alive(pid)]
    session.terminate()


async def test_a_start_waits_for_the_end_of_the_server_before_it(
    postgres: EmbeddedPostgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused, try_lock = asyncio.Event(), locks._try_lock

    def seen(file: Path) -> int | None:
        descriptor = try_lock(file)
        if descriptor is None:
            refused.set()
        return descriptor

    monkeypatch.setattr(locks, "_try_lock", seen)
    successor = EmbeddedPostgres(tmp_path / "postgres")
    starting = asyncio.create_task(successor.start())
    await asyncio.wait_for(refused.wait(), 10)
    assert await query(postgres.dsn(), "SELECT 1") == 1

    os.kill(postgres.pid, signal.SIGKILL)
    await asyncio.wait_for(starting, 20)

    assert await query(successor.dsn(), "SELECT 1") == 1
    await successor.stop()


async def test_a_lost_password_file_is_said(postgres: EmbeddedPostgres, tmp_path: Path) -> None:
    await postgres.stop()
    (tmp_path / "postgres" / "password").unlink()

    with pytest.raises(StartError, match="password does not hold the password of"):
        await postgres.start()


async def test_a_cancelled_start_can_be_repeated(tmp_path: Path, until: Until) -> None:
    server = EmbeddedPostgres(tmp_path / "postgres")
    starting = asyncio.create_task(server.start())
    await until((tmp_path / "postgres" / "pgdata.new" / "PG_VERSION").exists)

    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert not [child for child in psutil.Process().children() if str(tmp_path) in " ".join(child.cmdline())]

    await server.start()
    assert await query(server.dsn(), "SELECT 1") == 1
    await server.stop()


async def test_a_demanded_port_in_use_is_refused_with_the_option_that_changes_it(
    postgres: EmbeddedPostgres, tmp_path: Path
) -> None:
    port = int(postgres.dsn().rpartition(":")[2].partition("/")[0])

    with pytest.raises(PortTakenError, match=r"--postgres-port"):
        await EmbeddedPostgres(tmp_path / "other", port=port).start()

"""What is broken inside of Postgres, by a session of our own that goes past the proxies."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from services.kit.postgres import POSTGRES_TROUBLE
from services.kit.statements import load_queries
from tests.chaos.harness.plan import COMPOSERS, Fault
from tests.chaos.harness.servers import signal_all
from tests.support.services import eventually

CONNECT_S = 3.0
WAITER_S = 5.0
LOOKS = 50
LOOK_EVERY_S = 0.02
RESET_S = 90.0
RETRY_S = 1.0
SEGMENTS = 12
# With `repeatable read` as with `serializable`, whoever wants a row that was written since its snapshot is told 40001.
ISOLATE = "ALTER ROLE \"{user}\" SET default_transaction_isolation = 'serializable'"
RESET = 'ALTER ROLE "{user}" RESET default_transaction_isolation'

_sql = load_queries(__file__)


async def break_in_postgres(dsn: str, fault: Fault) -> None:
    """Carry a fault out. Raises LookupError or POSTGRES_TROUBLE when that is not possible now."""
    async with session(dsn) as connection:
        match fault.what:
            case "kill":
                signal_all([await _sql.some_session(connection)], signal.SIGKILL)
            case "end":
                [_ async for _ in _sql.end_sessions(connection)]
            case "lock":
                async with connection.transaction():
                    await _sql.lock_inbox(connection)
                    await asyncio.sleep(fault.seconds)
            case "deadlock":
                await _deadlock(connection)
            case "conflict":
                await _conflict(dsn, connection, fault.seconds)


@asynccontextmanager
async def session(dsn: str) -> "AsyncIterator[asyncpg.Connection[asyncpg.Record]]":
    """Give a session that is patient in a deadlock, for the length of the block."""
    settings = {"deadlock_timeout": "30s", "application_name": "chaos"}
    connection = await asyncpg.connect(dsn, timeout=CONNECT_S, command_timeout=WAITER_S, server_settings=settings)
    try:
        yield connection
    finally:
        connection.terminate()


async def use_up_segments(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Have Postgres need room for its write-ahead log at once, whatever it has put by; it may well end of that."""
    with contextlib.suppress(*POSTGRES_TROUBLE):
        for _ in range(SEGMENTS):
            await _sql.write_ahead(connection)
            await _sql.begin_new_segment(connection)


async def _deadlock(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Wait for what a save holds while it waits for us: it is the one that is told, since we are patient."""
    async with connection.transaction():
        await _sql.lock_heads(connection)
        await eventually(lambda: _sql.does_anybody_want_them(connection), WAITER_S)
        await _sql.want_cursors(connection)


async def _conflict(dsn: str, connection: "asyncpg.Connection[asyncpg.Record]", seconds: float) -> None:
    """Have the composers' transactions be serializable for a while, and write what they want to write under them."""
    try:
        await _for_composers(connection, ISOLATE)
        await _sql.without_triggers(connection)
        told = await _write_under_them(connection, seconds)
    finally:
        await eventually(lambda: _is_reset(dsn), RESET_S)
    if not told:
        raise LookupError("no composer wanted a cursor")


async def _write_under_them(connection: "asyncpg.Connection[asyncpg.Record]", seconds: float) -> int:
    """Write the cursors again and again; return how often somebody waited and so was told that it cannot go on."""
    told, deadline = 0, asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < deadline:
        async with connection.transaction():
            await _sql.touch_cursors(connection)
            told += await _are_wanted(connection)
    return told


async def _are_wanted(connection: "asyncpg.Connection[asyncpg.Record]") -> bool:
    """Tell whether somebody waits for what this session wrote. No statement is given up: that would undo the write."""
    for _ in range(LOOKS):
        if await _sql.does_anybody_want_them(connection):
            return True
        await asyncio.sleep(LOOK_EVERY_S)
    return False


async def _is_reset(dsn: str) -> bool:
    """Let the composers' transactions be what they were; tell whether Postgres took part."""
    try:
        async with session(dsn) as connection:
            await _for_composers(connection, RESET)
    except POSTGRES_TROUBLE:
        await asyncio.sleep(RETRY_S)
        return False
    return True


async def _for_composers(connection: "asyncpg.Connection[asyncpg.Record]", statement: str) -> None:
    """Change a setting of the composers' users, whose sessions have to begin anew for it."""
    for user in COMPOSERS:
        await connection.execute(statement.format(user=user))
    [_ async for _ in _sql.end_sessions_of(connection, users=list(COMPOSERS))]

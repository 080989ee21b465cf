"""Pools and connections of the simulated Postgres: they take the SQL of the named statements, as asyncpg does."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import asyncpg

from services.composer import store
from services.kit import eventlog
from services.relay import position
from tests.simulation.clock import Process
from tests.simulation.network import Network
from tests.simulation.tables import Tables

COMMAND_S = 10.0
CONNECT_S = 5.0
TROUBLE: tuple[type[Exception], ...] = (
    asyncpg.ConnectionDoesNotExistError,
    asyncpg.InternalClientError,
    asyncpg.AdminShutdownError,
    asyncpg.DeadlockDetectedError,
    asyncpg.InterfaceError,
    TimeoutError,
    ConnectionResetError,
)


class Statement(NamedTuple):
    """A named statement, and the names of its parameters in the order of their numbers."""

    name: str
    parameters: tuple[str, ...]


def _statements(queries: Any) -> Iterator[tuple[str, Statement]]:
    for name in (each for each in queries.available_queries if not each.endswith("_cursor")):
        query = getattr(queries, name)
        yield query.sql, Statement(name, tuple(queries.driver_adapter.var_sorted[name]))


STATEMENTS: Mapping[str, Statement] = {
    sql: statement for queries in (store._sql, eventlog._sql, position.sql) for sql, statement in _statements(queries)
}


class Postgres:
    """The server: its tables and who is connected."""

    def __init__(self, network: Network) -> None:
        self.tables = Tables()
        self.network = network
        self.connections: dict[int, Connection] = {}
        self._made = 0

    def connect(self, process: Process | None) -> "Connection":
        """Begin a session."""
        self._made += 1
        connection = self.connections[self._made] = Connection(self, self._made, process)
        if process is not None:
            process.on_death.append(lambda: self.network.later(self.network.delay(), self.end, connection))
        return connection

    def end(self, connection: "Connection") -> None:
        """End a session, as pg_terminate_backend does and as a client's death does."""
        connection.is_closed = True
        self.connections.pop(connection.session, None)
        self.tables.end_session(connection.session)


class Connection:
    """One session of one process."""

    def __init__(self, postgres: Postgres, session: int, process: Process | None) -> None:
        self._postgres = postgres
        self._process = process
        self.session = session
        self.is_closed = False

    async def fetch(self, sql: str, *values: Any, timeout: float | None = None) -> Any:  # noqa: ASYNC109
        statement = STATEMENTS.get(sql)
        name = statement.name if statement else sql
        kind = self._postgres.network.random.choice(TROUBLE)
        try:
            return await self._postgres.network.call(
                self._process, name, lambda: self._run(statement, values), lambda: kind("of the simulation"), COMMAND_S
            )
        except (asyncpg.IntegrityConstraintViolationError, asyncio.CancelledError):
            raise
        except Exception:
            self.terminate()
            raise

    fetchrow = fetchval = execute = fetch

    def terminate(self) -> None:
        if self._process is None or not self._process.is_dead:
            self._postgres.end(self)

    def _run(self, statement: Statement | None, values: tuple[Any, ...]) -> Any:
        if self.is_closed:
            raise asyncpg.ConnectionDoesNotExistError("the connection was closed in the middle of an operation")
        if statement is None:
            return None
        given = dict(zip(statement.parameters, values, strict=True))
        return getattr(self._postgres.tables, statement.name)(self.session, **given)


class SimulatedPool:
    """Lends connections; one that is fine when it comes back is lent again."""

    def __init__(self, postgres: Postgres, process: Process | None = None) -> None:
        self._postgres = postgres
        self._process = process
        self._idle: list[Connection] = []

    async def acquire(self) -> Connection:
        """Return a connection that is idle, or a new one."""
        return self._idle.pop() if self._idle else await self.connect()

    async def release(self, connection: Connection) -> None:
        """Take a connection back."""
        if not connection.is_closed:
            self._idle.append(connection)

    async def connect(self) -> Connection:
        """Return a connection of one's own."""
        connect: Callable[[], Connection] = lambda: self._postgres.connect(self._process)  # noqa: E731
        return await self._postgres.network.call(self._process, "connect", connect, ConnectionRefusedError, CONNECT_S)

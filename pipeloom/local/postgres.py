"""Postgres as a child process, on a folder and a port that stay, durable and behind a password."""

import os
import shutil
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import asyncpg

from pipeloom.local.errors import StartError
from pipeloom.local.locks import sole_use
from pipeloom.local.ports import HOST, demand_port, previous_port, remember_port
from pipeloom.local.postgres_programs import bin_dir, identity
from pipeloom.local.process import Command, ManagedProcess, fresh_log, run_to_end
from pipeloom.local.progress import SILENT, Progress
from pipeloom.local.secret_files import kept_password, write_private

_USER = "pipeloom"
_DATABASE = "pipeloom"
_INIT_TIMEOUT = 60.0
_READY_TIMEOUT = 60.0
_STOP_GRACE = 8.0
_CONNECT_TIMEOUT = 5.0
_NOT_YET = (OSError, TimeoutError, asyncpg.CannotConnectNowError, asyncpg.ConnectionDoesNotExistError)

# initdb waits for the disk itself; the encoding and the order of texts are the same on every machine.
_INITDB = ("--auth=scram-sha-256", f"--username={_USER}", "--encoding=UTF8", "--locale=C")
_LOCALE = ("--locale-provider=builtin", "--builtin-locale=C.UTF-8")
_SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_connections": "200",
    "log_line_prefix": "%m [%p] %q%u@%d ",
}


class EmbeddedPostgres:
    """A real server on `data_dir`; `start` may be called again after it ended, by whatever cause."""

    name = "postgres"

    def __init__(self, data_dir: Path, *, port: int | None = None, log_file: Path | None = None) -> None:
        self._dir = data_dir.absolute()
        self._wanted_port = port
        self._log_file = log_file or self._dir / "postgres.log"
        self._port: int | None = None
        self._port_file = self._dir / "port"
        self._process: ManagedProcess | None = None

    @property
    def pid(self) -> int:
        """The process id of the postmaster."""
        return self._running().pid

    def dsn(self, database: str = _DATABASE) -> str:
        """Return the address of a database, password included."""
        if self._port is None:
            raise StartError("Postgres has no address before its first start.")
        return f"postgresql://{_USER}:{self._password()}@{HOST}:{self._port}/{database}"

    async def start(self, report: Progress = SILENT) -> None:
        """Return when the server answers and the default database exists; leave nothing running otherwise."""
        if self._process is not None and self._process.returncode is not None:
            await self._process.kill()  # the sessions of a killed postmaster live on for a moment
        async with sole_use(self._dir, "Postgres") as lock:
            if self._port is None:
                self._port = self._choose_port()
                fresh_log(self._log_file)
            if not self._data.exists():
                report.say(self.name, "preparing a new data folder")
                await self._initialise(lock)
            report.say(self.name, f"starting on {HOST}:{self._port}")
            await self._run(self._port, lock, report)
            report.say(self.name, f"ready on {HOST}:{self._port}")

    async def ensure_database(self, name: str) -> None:
        """Create a database unless it exists."""
        connection = await asyncpg.connect(self.dsn("postgres"), timeout=_CONNECT_TIMEOUT)
        try:
            if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
                await connection.execute('CREATE DATABASE "{}"'.format(name.replace('"', '""')))
        except (asyncpg.DuplicateDatabaseError, asyncpg.UniqueViolationError):
            pass  # another one was faster
        finally:
            await connection.close(timeout=_CONNECT_TIMEOUT)

    async def wait(self) -> int:
        """Return the exit code of the postmaster once it has ended."""
        return await self._running().wait()

    def reason(self) -> str | None:
        """Return nothing: its log says why it ended."""
        return None

    async def stop(self, grace: float = _STOP_GRACE) -> None:
        """Shut the server down; a server that is not running is left as it is."""
        if self._process is not None:
            await self._process.stop(grace)

    @property
    def _data(self) -> Path:
        return self._dir / "pgdata"

    def _running(self) -> ManagedProcess:
        if self._process is None:
            raise StartError("Postgres has not been started.")
        return self._process

    def _password(self) -> str:
        return kept_password(self._dir / "password")

    def _choose_port(self) -> int:
        if self._wanted_port is None:
            return previous_port(self._port_file)
        remedy = "choose another one with --postgres-port or stop that program"
        return demand_port(self._wanted_port, "Postgres", remedy)

    async def _run(self, port: int, lock: int, report: Progress) -> None:
        settings = {**_SETTINGS, "port": str(port)}
        options = [f"--{name}={value}" for name, value in settings.items()]
        self._process = await ManagedProcess.spawn(self._command("postgres", self._data, options, lock))
        try:
            await self._process.wait_until(self._answers, _READY_TIMEOUT, report)
            await self.ensure_database(_DATABASE)
            remember_port(self._port_file, port)
        except BaseException:
            await self._process.kill()
            raise

    async def _initialise(self, lock: int) -> None:
        scratch, password_file = self._dir / "pgdata.new", self._dir / "initdb-password"
        shutil.rmtree(scratch, ignore_errors=True)  # what an interrupted start left
        scratch.mkdir(mode=0o700)
        write_private(password_file, self._password())
        owner = identity()
        if owner is not None:
            os.chown(scratch, *owner)
            os.chown(password_file, *owner)
        arguments = (*_INITDB, *_LOCALE, "--pwfile=/dev/stdin")
        try:
            await run_to_end(self._command("initdb", scratch, arguments, lock, stdin=password_file), _INIT_TIMEOUT)
        finally:
            password_file.unlink()
        scratch.rename(self._data)

    def _command(
        self, program: str, data: Path, arguments: Sequence[str], lock: int, stdin: Path = Path(os.devnull)
    ) -> Command:
        owner = identity()
        # Another account may have no way through the folders above its own: it is put there before it becomes itself.
        named = data if owner is None or sys.platform != "linux" else "/proc/self/cwd"
        return Command(
            self.name,
            [bin_dir() / program, "-D", named, *arguments],
            self._log_file,
            env={"LC_ALL": "C"},
            cwd=data,
            stdin=stdin,
            identity=owner,
            inherited=(lock,),
            stop_signal=signal.SIGINT,  # ends the sessions of clients first, then shuts down cleanly
            orphan_signal=signal.SIGQUIT,  # ends everything at once
        )

    async def _answers(self) -> bool:
        try:
            connection = await asyncpg.connect(self.dsn("postgres"), timeout=_CONNECT_TIMEOUT)
        except _NOT_YET:
            return False
        except asyncpg.InvalidPasswordError:
            raise StartError(f"{self._dir / 'password'} does not hold the password of {self._data}.") from None
        await connection.close(timeout=_CONNECT_TIMEOUT)
        return True

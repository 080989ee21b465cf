"""One child process: its own group, its own log file, no longer life than ours."""

import asyncio
import contextlib
import os
import signal
import sys
import tempfile
import time
from asyncio.subprocess import Process
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pipeloom.local.errors import EndedEarlyError, StartError
from pipeloom.local.forks import ForkedProcess, ForkError, Forks
from pipeloom.local.progress import SILENT, Progress
from pipeloom.local.waiting import told_why

_LAUNCHER = Path(__file__).with_name("launch.py")
_CHECK_EVERY = 0.05
_TAIL_LINES = 20
_TAIL_BYTES = 16_384
_REAP_TIMEOUT = 5.0


@dataclass(frozen=True)
class Command:
    """What to run and how it wants to be ended."""

    name: str
    argv: Sequence[str | Path]
    log_file: Path
    env: Mapping[str, str] | None = None
    cwd: Path | None = None
    stdin: Path = Path(os.devnull)
    identity: tuple[int, int] | None = None
    inherited: tuple[int, ...] = ()
    forks: Forks | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    orphan_signal: signal.Signals = signal.SIGKILL

    def launcher(self) -> list[str]:
        """Return the command line that ties the command to our own life."""
        identity = "-" if self.identity is None else "{}:{}".format(*self.identity)
        tie = [sys.executable, "-I", "-S", str(_LAUNCHER), str(int(self.orphan_signal)), str(os.getpid()), identity]
        return [*tie, *map(str, self.argv)]

    def tail(self) -> str:
        """Quote the last lines of the log file."""
        lines = self._log_lines()[-_TAIL_LINES:]
        return f"Its log {self.log_file} ends:\n" + "\n".join(f"    {line}" for line in lines)

    def last_words(self) -> str:
        """Return the last line that it logged."""
        return next(filter(str.strip, reversed(self._log_lines())), f"nothing is in its log {self.log_file} yet")

    def _log_lines(self) -> list[str]:
        return self.log_file.read_bytes()[-_TAIL_BYTES:].decode(errors="replace").splitlines()


class ManagedProcess:
    """A running command, leader of its own process group."""

    _alive: "set[ManagedProcess]" = set()

    def __init__(self, command: Command, process: Process | ForkedProcess) -> None:
        self.command = command
        self._process = process
        self._alive.add(self)

    @classmethod
    async def spawn(cls, command: Command, stdout: IO[bytes] | None = None) -> "ManagedProcess":
        """Start the command; its output is appended to its log file.

        Linux ends it when the thread that called this ends: call it in one that lives as long as the command should.
        """
        command.log_file.parent.mkdir(parents=True, exist_ok=True)
        with command.log_file.open("ab") as log, command.stdin.open("rb") as stdin:
            out = log if stdout is None else stdout
            return cls(command, await _forked(command, stdin, out, log) or await _spawned(command, stdin, out, log))

    @classmethod
    def kill_all_at_once(cls) -> None:
        """Kill every group that is still there, without waiting for any."""
        for process in cls._alive:
            process._signal_group()

    @property
    def pid(self) -> int:
        """The process id, which is also the id of its group."""
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """The exit code, or None while it runs."""
        return self._process.returncode

    async def wait(self) -> int:
        """Return the exit code once it has ended."""
        return await self._process.wait()

    async def wait_until(
        self,
        ready: Callable[[], Awaitable[bool]],
        within: float,
        report: Progress = SILENT,
        why: Callable[[], str | None] = lambda: None,
    ) -> None:
        """Return when `ready` says so; refuse when the process ends first or the time is over.

        A long wait is reported with what `why` knows about it, or else with the last line of the log.
        """
        async with told_why(self.command.name, lambda: why() or self.command.last_words(), report):
            await self._until(ready, within, why)

    async def _until(self, ready: Callable[[], Awaitable[bool]], within: float, why: Callable[[], str | None]) -> None:
        name, deadline = self.command.name, time.monotonic() + within
        while not await ready():
            if self.returncode is not None:
                what = f"{name} ended with code {self.returncode} before it was ready."
                raise EndedEarlyError(f"{what} {self.command.tail()}", self.returncode)
            if time.monotonic() > deadline:
                what = ": ".join(filter(None, [f"{name} was not ready after {within:.0f} s", why()]))
                raise StartError(f"{what}. {self.command.tail()}")
            await asyncio.sleep(_CHECK_EVERY)

    async def stop(self, grace: float) -> None:
        """Ask it to end, and kill its group when it has not done so within `grace` seconds."""
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, self.command.stop_signal)
        try:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.wait(), grace)
        finally:
            await self.kill()

    async def kill(self) -> None:
        """Kill whatever is left of its group, and collect its exit code."""
        if self in self._alive:
            self._alive.discard(self)
            self._signal_group()
        await asyncio.wait_for(self.wait(), _REAP_TIMEOUT)

    def _signal_group(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS forbids it for a group of zombies
            os.killpg(self.pid, signal.SIGKILL)


async def run_to_end(command: Command, within: float, report: Progress = SILENT) -> None:
    """Run a command that ends by itself, and refuse to go on if it fails."""
    async with told_why(command.name, command.last_words, report):
        await _finish(await ManagedProcess.spawn(command), within)


async def output_of(command: Command, within: float) -> str:
    """Run a command that ends by itself, and return what it wrote to its standard output, which is not logged."""
    with _unnamed_file() as out:
        await _finish(await ManagedProcess.spawn(command, out), within)
        out.seek(0)
        return out.read().decode()


def _unnamed_file() -> IO[bytes]:
    """Open a file that has no name, in memory where that is possible."""
    if sys.platform == "linux":
        return os.fdopen(os.memfd_create("output"), "w+b")
    return tempfile.TemporaryFile()


async def _forked(command: Command, *standard: IO[bytes]) -> ForkedProcess | None:
    """Fork it from what is loaded already, where that is possible; the child ties itself to our life."""
    if command.forks is None or command.env is None or not command.forks.can_run(command.argv):
        return None
    with contextlib.suppress(ForkError):
        return await command.forks.fork(command.argv, command.env, [each.fileno() for each in standard])
    return None


async def _spawned(command: Command, stdin: IO[bytes], stdout: IO[bytes], stderr: IO[bytes]) -> Process:
    return await asyncio.create_subprocess_exec(
        *command.launcher(),
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        env=command.env,
        cwd=command.cwd,
        pass_fds=command.inherited,
        start_new_session=True,
    )


async def _finish(process: ManagedProcess, within: float) -> None:
    name = process.command.name
    try:
        code = await asyncio.wait_for(process.wait(), within)
    except TimeoutError:
        raise StartError(f"{name} did not end within {within:.0f} s. {process.command.tail()}") from None
    finally:
        await process.kill()
    if code != 0:
        raise EndedEarlyError(f"{name} failed with code {code}. {process.command.tail()}", code)


def fresh_log(file: Path) -> Path:
    """Set the log of the last run aside."""
    if file.exists():
        file.replace(file.with_name(f"{file.name}.1"))
    return file

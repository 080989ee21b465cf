"""One of our own services as a supervised child."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from pipeloom.local.errors import StartError
from pipeloom.local.ports import HOST, pick_port
from pipeloom.local.process import Command, ManagedProcess, fresh_log
from pipeloom.local.progress import SILENT, Progress

_READY_TIMEOUT = 60.0
_PROBE_TIMEOUT = 2.0
_STOP_GRACE = 5.0


class Service:
    """A process that says on its health port whether it is ready."""

    def __init__(self, name: str, argv: Sequence[str], env: Mapping[str, str], log_file: Path) -> None:
        self.name = name
        self._argv = argv
        self._env = env
        self._log_file = log_file
        self._process: ManagedProcess | None = None

    @property
    def pid(self) -> int:
        """The process id."""
        return self._started().pid

    async def start(self, report: Progress = SILENT) -> None:
        """Return when it is ready; leave nothing running if that fails or is cancelled."""
        report.say(self.name, "starting")
        if self._process is None:
            fresh_log(self._log_file)
        health_port = pick_port()
        env = {**self._env, "PIPELOOM_HEALTH__PORT": str(health_port)}
        self._process = await ManagedProcess.spawn(Command(self.name, self._argv, self._log_file, env=env))
        try:
            await self._process.wait_until(partial(_says_ready, health_port), _READY_TIMEOUT)
        except BaseException:
            await self._process.kill()
            raise
        report.say(self.name, "ready")

    async def wait(self) -> int:
        """Return the exit code once it has ended."""
        return await self._started().wait()

    async def stop(self, grace: float = _STOP_GRACE) -> None:
        """Ask it to end, and kill it and its children after `grace` seconds."""
        if self._process is not None:
            await self._process.stop(grace)

    def _started(self) -> ManagedProcess:
        if self._process is None:
            raise StartError(f"{self.name} has not been started.")
        return self._process


async def _says_ready(port: int) -> bool:
    try:
        async with asyncio.timeout(_PROBE_TIMEOUT):
            return await _status_line(port, "/readyz") == "200"
    except (OSError, TimeoutError):
        return False


async def _status_line(port: int, path: str) -> str:
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {HOST}:{port}\r\nConnection: close\r\n\r\n".encode())
        _, _, rest = (await reader.readline()).decode("latin-1").partition(" ")
        return rest[:3]
    finally:
        writer.close()

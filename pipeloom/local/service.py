"""One of our own services as a supervised child."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx

from pipeloom.local.admin import AdminPorts
from pipeloom.local.errors import StartError
from pipeloom.local.forks import Forks
from pipeloom.local.http import open_http, reasons
from pipeloom.local.ports import HOST
from pipeloom.local.process import Command, ManagedProcess, fresh_log
from pipeloom.local.progress import SILENT, Progress
from services.kit.last_end import LAST_END

_READY_TIMEOUT = 60.0
_STOP_GRACE = 5.0


class Service:
    """A process that says on its admin port whether it is ready."""

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        env: Mapping[str, str],
        log_file: Path,
        ports: AdminPorts,
        forks: Forks | None = None,
    ) -> None:
        self.name = name
        self._argv = argv
        self._env = env
        self._log_file = log_file
        self._ports = ports
        self._forks = forks
        self._process: ManagedProcess | None = None
        self._last_end: str | None = None

    @property
    def pid(self) -> int:
        """The process id."""
        return self._started().pid

    async def start(self, report: Progress = SILENT) -> None:
        """Return when it is ready; leave nothing running if that fails or is cancelled."""
        report.say(self.name, "starting")
        if self._process is None:
            fresh_log(self._log_file)
        health_port = self._ports.settle(self.name)
        env = {**self._env, "PIPELOOM_HEALTH__HOST": HOST, "PIPELOOM_HEALTH__PORT": str(health_port)}
        if self._last_end is not None:
            env[LAST_END] = self._last_end
        command = Command(self.name, self._argv, self._log_file, env=env, forks=self._forks)
        self._process = await ManagedProcess.spawn(command)
        try:
            async with open_http() as http:
                page = _HealthPage(http, health_port)
                await self._process.wait_until(page.is_ready, _READY_TIMEOUT, report, lambda: page.trouble)
        except BaseException:
            await self._process.kill()
            await self.wait()
            raise
        report.say(self.name, "ready")

    async def wait(self) -> int:
        """Return the exit code once it has ended."""
        code = await self._started().wait()
        reason = self.reason() if code > 0 else None
        self._last_end = f"code {code}: {reason}" if reason else f"code {code}"
        return code

    def reason(self) -> str | None:
        """Return what stands behind its name in the last line of its log, where it says why it ended."""
        last, mark = self._started().command.last_words(), f"pipeloom {self.name}: "
        return last.removeprefix(mark) if last.startswith(mark) else None

    async def stop(self, grace: float = _STOP_GRACE) -> None:
        """Ask it to end, and kill it and its children after `grace` seconds."""
        if self._process is not None:
            await self._process.stop(grace)

    def _started(self) -> ManagedProcess:
        if self._process is None:
            raise StartError(f"{self.name} has not been started.")
        return self._process


class _HealthPage:
    """The health page of a service, and what it said last about what is missing."""

    def __init__(self, http: httpx.AsyncClient, port: int) -> None:
        self.trouble: str | None = None
        self._http = http
        self._url = f"http://{HOST}:{port}/readyz"

    async def is_ready(self) -> bool:
        try:
            answer = await self._http.get(self._url)
        except httpx.HTTPError:
            self.trouble = None
            return False
        self.trouble = reasons(answer)
        return answer.status_code == httpx.codes.OK

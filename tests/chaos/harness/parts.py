"""Our own services as processes: started at once when they end, and ended in every way."""

import asyncio
import contextlib
import signal
import sys
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import httpx

from pipeloom.local.ports import HOST, pick_port
from pipeloom.local.process import Command, ManagedProcess
from tests.chaos.harness.servers import signal_all

AGAIN_S = 0.3
AGAIN_BY_ITSELF_S = 1.0
END_WITHIN_S = 15.0
UP_S = 60.0


class Part:
    """One service that is kept alive until it is ended."""

    def __init__(self, name: str, env: Mapping[str, str], log_dir: Path) -> None:
        self.name = name
        self.kind = name.rpartition("-")[0]
        self.in_use = asyncio.Lock()
        self.ended_by_itself: Counter[int] = Counter()
        self.starts = 0
        self._health_port = pick_port()
        self._env = {**env, "PIPELOOM_HEALTH__HOST": HOST, "PIPELOOM_HEALTH__PORT": str(self._health_port)}
        self._log_file = log_dir / f"{name}.log"
        self._is_wanted = False
        self._is_asked_to_end = False
        self._process: ManagedProcess | None = None
        self._keeper: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start it, and keep it alive from now on."""
        self._is_wanted = True
        await self._spawn()
        self._keeper = asyncio.create_task(self._keep(), name=f"keep {self.name}")

    @property
    def pid(self) -> int:
        """The process id. Raises LookupError while it is not running."""
        if self._process is None or self._process.returncode is not None:
            raise LookupError(f"{self.name} is not running")
        return self._process.pid

    def signal(self, number: signal.Signals) -> None:
        """Send a signal; one that is between two lives does not get it."""
        self._is_asked_to_end |= number == signal.SIGKILL
        with contextlib.suppress(LookupError):
            signal_all([self.pid], number)

    async def terminate(self) -> str | None:
        """Ask it to end by SIGTERM once it is up; return what was wrong with how it ended, or None."""
        await self.is_up(UP_S)
        process, began = self._process, time.monotonic()
        if process is None or process.returncode is not None:
            return None
        self._is_asked_to_end = True
        signal_all([process.pid], signal.SIGTERM)
        try:
            code = await asyncio.wait_for(process.wait(), END_WITHIN_S)
        except TimeoutError:
            await process.kill()
            return f"{self.name} had not ended {END_WITHIN_S:g} s after SIGTERM"
        return None if code == 0 else f"{self.name} ended with {code} {time.monotonic() - began:.1f} s after SIGTERM"

    async def end(self) -> str | None:
        """End it for good, in order; return what was wrong with that, or None."""
        self._is_wanted = False
        wrong = await self.terminate()
        await self.stop()
        return wrong

    async def stop(self) -> None:
        """End it for good, by force."""
        self._is_wanted = False
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        if self._process is not None:
            await self._process.kill()

    async def is_up(self, within_s: float, page: str = "livez") -> bool:
        """Tell whether its health page answers in time: from then on it listens to signals."""
        deadline = time.monotonic() + within_s
        async with httpx.AsyncClient(base_url=f"http://{HOST}:{self._health_port}", verify=False) as http:
            while time.monotonic() < deadline:
                with contextlib.suppress(httpx.HTTPError):
                    if (await http.get(f"/{page}")).is_success:
                        return True
                await asyncio.sleep(0.1)
        return False

    async def _spawn(self) -> None:
        argv = [sys.executable, "-m", f"services.{self.kind}"]
        self._is_asked_to_end = False
        self._process = await ManagedProcess.spawn(Command(self.name, argv, self._log_file, env=self._env))
        self.starts += 1

    async def _keep(self) -> None:
        while self._process is not None:
            code = await self._process.wait()
            await self._process.kill()  # and what it had started
            if not self._is_asked_to_end:
                self.ended_by_itself[code] += 1
            if not self._is_wanted:
                return
            await asyncio.sleep(AGAIN_S if self._is_asked_to_end else AGAIN_BY_ITSELF_S)
            await self._spawn()

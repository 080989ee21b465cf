"""Carries out what was planned to break, and mends all of it in the end."""

import asyncio
import signal
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack

from services.kit.postgres import POSTGRES_TROUBLE
from tests.chaos.harness.history import History
from tests.chaos.harness.in_postgres import break_in_postgres, session, use_up_segments
from tests.chaos.harness.parts import Part
from tests.chaos.harness.plan import Fault, Planned
from tests.chaos.harness.report import Progress
from tests.chaos.harness.servers import Kept, signal_all
from tests.chaos.harness.world import World
from tests.support.services import eventually

BACK_S = 90.0
GONE_S = 0.2
LOST_AT_ONCE = 3
STORM_UP_S = 20.0
STAY_S = 1.5


class Breaker:
    """Breaks one thing after the other, several at once where they last, each only once at a time."""

    def __init__(
        self, world: World, history: History, progress: Progress, plan: Sequence[Planned], seconds: float
    ) -> None:
        """Break what the plan says within so many seconds."""
        self.done: Counter[str] = Counter()
        self.not_possible: Counter[str] = Counter()
        self.left_out: dict[str, str] = {}
        self.kills: Counter[str] = Counter()
        self.full_disk_deaths: Counter[str] = Counter()
        self._world = world
        self._dsn = world.settings.postgres.dsn.get_secret_value()
        self._history = history
        self._progress = progress
        self._storming = asyncio.Lock()
        self._plan = plan
        self._seconds = seconds

    async def run(self) -> None:
        """Carry out the plan, and let what lasts come to its end."""
        began = asyncio.get_running_loop().time()
        async with asyncio.TaskGroup() as group:
            for each in self._plan:
                await asyncio.sleep(began + each.at_s - asyncio.get_running_loop().time())
                group.create_task(self._break(each.fault), name=str(each.fault))
            await asyncio.sleep(began + self._seconds - asyncio.get_running_loop().time())

    async def heal(self) -> None:
        """Let everything that stands still go on; what died is being started anyway."""
        for proxy in self._world.proxies.values():
            proxy.heal()
        for part in self._world.parts.values():
            part.signal(signal.SIGCONT)
        for server in (self._world.kafka, self._world.postgres):
            signal_all(server.pids(), signal.SIGCONT)

    async def _break(self, fault: Fault) -> None:
        if fault.what == "fill" and not self._world.disks:
            self.left_out["full disks"] = self._world.why_no_disks
            return
        self._progress.broke(fault)
        name = fault.target.rpartition("-")[0] or fault.target
        try:
            await self._carry_out(fault)
        except (LookupError, *POSTGRES_TROUBLE) as trouble:
            self.not_possible[f"{fault.what} {name}: {type(trouble).__name__}"] += 1
        else:
            self.done[f"{fault.what} {name}"] += 1

    async def _carry_out(self, fault: Fault) -> None:
        world = self._world
        if fault.what == "fill":
            await self._fill(self._server(fault), fault)
        elif fault.what == "hang and kill":
            await self._hang_and_kill(world.parts[fault.target], fault)
        elif fault.target in world.parts:
            await self._break_part(world.parts[fault.target], fault)
        elif fault.target in world.proxies:
            await self._break_link(fault)
        elif fault.target in {"kafka", "postgres"}:
            await self._break_server(self._server(fault), fault)
        elif fault.what == "storm":
            async with self._storming:
                await self._storm()
        else:
            await break_in_postgres(self._dsn, fault)
            self.kills["postgres: a backend"] += fault.what == "kill"

    def _server(self, fault: Fault) -> Kept:
        return self._world.kafka if fault.target == "kafka" else self._world.postgres

    async def _break_part(self, part: Part, fault: Fault) -> None:
        async with part.in_use:
            match fault.what:
                case "kill":
                    self._kill(part)
                case "terminate":
                    self.kills[part.kind] += 1
                    self._demand(await part.terminate())
                case "pause":
                    await _paused([part.pid], fault.seconds)

    async def _break_server(self, server: Kept, fault: Fault) -> None:
        """Break it, and wait until it is back: a start is not broken in the middle."""
        async with server.in_use:
            if fault.what == "pause":
                await _paused(server.pids(), fault.seconds)
                return
            starts = server.starts
            self.kills[server.name] += 1
            if fault.what == "kill":
                server.kill()
            else:
                server.terminate()
            await eventually(lambda: server.starts > starts, BACK_S)

    async def _break_link(self, fault: Fault) -> None:
        proxy = self._world.proxies[fault.target]
        match fault.what:
            case "cut":
                proxy.cut()
            case "lose replies":
                proxy.lose_replies(LOST_AT_ONCE)
            case "hang":
                proxy.hang()
                await asyncio.sleep(fault.seconds)
                proxy.heal()
            case "slow":
                proxy.slow(0.2)
                await asyncio.sleep(fault.seconds)
                proxy.heal()

    async def _fill(self, server: Kept, fault: Fault) -> None:
        """Leave a server no room for a while, and wait until it works again; it may have been started again for it."""
        disk = self._world.disks[server.name]
        async with server.in_use:
            starts = server.starts
            async with AsyncExitStack() as sessions:
                asking = await sessions.enter_async_context(session(self._dsn)) if server.name == "postgres" else None
                try:
                    await disk.fill()
                    if asking is not None:
                        await use_up_segments(asking)
                    await asyncio.sleep(fault.seconds)
                finally:
                    await disk.free()
            await eventually(lambda: server.is_up, BACK_S)
            self.full_disk_deaths[server.name] += server.starts - starts

    async def _hang_and_kill(self, part: Part, fault: Fault) -> None:
        """Kill a part while Kafka hangs for its kind, with all that it could not send: none of it comes later."""
        proxy = self._world.proxies[f"kafka/{part.kind}"]
        async with part.in_use:
            proxy.hang()
            try:
                await asyncio.sleep(fault.seconds)
                self._kill(part)
                proxy.cut()
                await asyncio.sleep(GONE_S)
            finally:
                proxy.heal()

    async def _storm(self) -> None:
        """Have members come and go: each one moves partitions about."""
        for _ in range(2):
            for part in self._world.extra.values():
                await part.start()
            for part in self._world.extra.values():
                await part.is_up(STORM_UP_S)
            await asyncio.sleep(STAY_S)
            killed, ended = self._world.extra.values()
            self.kills[killed.kind] += 2
            await killed.stop()
            self._demand(await ended.end())

    def _kill(self, part: Part) -> None:
        self.kills[part.kind] += 1
        part.signal(signal.SIGKILL)

    def _demand(self, wrong: str | None) -> None:
        if wrong is not None:
            self._history.complain(wrong)


async def _paused(pids: list[int], seconds: float) -> None:
    signal_all(pids, signal.SIGSTOP)
    try:
        await asyncio.sleep(seconds)
    finally:
        signal_all(pids, signal.SIGCONT)

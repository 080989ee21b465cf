"""Carries out what was planned to break, and mends all of it in the end."""

import asyncio
import signal
from collections import Counter
from collections.abc import Sequence

import asyncpg

from services.kit.postgres import POSTGRES_TROUBLE
from services.kit.statements import load_queries
from tests.chaos.harness.history import History
from tests.chaos.harness.parts import Part
from tests.chaos.harness.plan import Fault, Planned
from tests.chaos.harness.report import Progress
from tests.chaos.harness.servers import Kept, signal_all
from tests.chaos.harness.world import World
from tests.support.services import eventually

BACK_S = 90.0
CONNECT_S = 3.0
WAITER_S = 5.0
LOST_AT_ONCE = 3
STORM_UP_S = 20.0
STAY_S = 1.5

_sql = load_queries(__file__)


class Breaker:
    """Breaks one thing after the other, several at once where they last, each only once at a time."""

    def __init__(
        self, world: World, history: History, progress: Progress, plan: Sequence[Planned], seconds: float
    ) -> None:
        """Break what the plan says within so many seconds."""
        self.done: Counter[str] = Counter()
        self.not_possible: Counter[str] = Counter()
        self._world = world
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
        if fault.target in world.parts:
            await self._break_part(world.parts[fault.target], fault)
        elif fault.target in world.proxies:
            await self._break_link(fault)
        elif fault.target in {"kafka", "postgres"}:
            await self._break_server(world.kafka if fault.target == "kafka" else world.postgres, fault)
        elif fault.what == "storm":
            async with self._storming:
                await self._storm()
        else:
            await self._break_in_postgres(fault)

    async def _break_part(self, part: Part, fault: Fault) -> None:
        async with part.in_use:
            match fault.what:
                case "kill":
                    part.signal(signal.SIGKILL)
                case "terminate":
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

    async def _break_in_postgres(self, fault: Fault) -> None:
        dsn = self._world.settings.postgres.dsn.get_secret_value()
        settings = {"deadlock_timeout": "30s", "application_name": "chaos"}
        connection = await asyncpg.connect(dsn, timeout=CONNECT_S, command_timeout=WAITER_S, server_settings=settings)
        try:
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
        finally:
            connection.terminate()

    async def _storm(self) -> None:
        """Have members come and go: each one moves partitions about."""
        for _ in range(2):
            for part in self._world.extra.values():
                await part.start()
            for part in self._world.extra.values():
                await part.is_up(STORM_UP_S)
            await asyncio.sleep(STAY_S)
            killed, ended = self._world.extra.values()
            await killed.stop()
            self._demand(await ended.end())

    def _demand(self, wrong: str | None) -> None:
        if wrong is not None:
            self._history.complain(wrong)


async def _paused(pids: list[int], seconds: float) -> None:
    signal_all(pids, signal.SIGSTOP)
    try:
        await asyncio.sleep(seconds)
    finally:
        signal_all(pids, signal.SIGCONT)


async def _deadlock(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Wait for what a save holds while it waits for us: it is the one that is told, since we are patient."""
    async with connection.transaction():
        await _sql.lock_event_log(connection)
        await eventually(lambda: _sql.is_anybody_waiting(connection), WAITER_S)
        await _sql.want_cursors(connection)

"""The environment that others must not starve: one client that creates a pipeline and gets it, one after the other."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from statistics import median, quantiles
from typing import NamedTuple
from uuid import uuid4

from benchmarks.overload_noise import STEP
from benchmarks.overload_wire import Answer, Connection, connected

# Over so many of the last rounds it is judged whether latency is normal again.
WINDOW = 20
NORMAL = 1.5


class Round(NamedTuple):
    """When a round ended, and what it took."""

    at: float
    create_ms: float
    get_ms: float


class Latency(NamedTuple):
    """What one kind of request took in a phase, in milliseconds."""

    p50: float
    p99: float


class Victim:
    """A client that never pauses, and what each of its rounds took."""

    def __init__(self) -> None:
        self.rounds: list[Round] = []
        self.failures: list[str] = []

    async def run(self, connection: Connection) -> None:
        """Create and get until cancelled."""
        while True:
            name = f"victim-{uuid4().hex}"
            created = await _timed(
                self, connection, "POST", "/pipelines", {"pipeline_name": name, "step_names": [STEP]}
            )
            found = await _timed(self, connection, "GET", f"/pipelines/{name}")
            self.rounds.append(Round(time.monotonic(), created, found))

    def between(self, begun: float, ended: float) -> list[Round]:
        """Return the rounds that ended in a span of time."""
        return [each for each in self.rounds if begun <= each.at < ended]

    async def recovered(self, since: float, quiet_ms: float, within_s: float) -> float | None:
        """Return the seconds from `since` to the end of the first window of rounds with a normal p50; None if none."""
        until = since + within_s
        while time.monotonic() < until:
            after = self.between(since, until)
            for index in range(WINDOW, len(after) + 1):
                window = after[index - WINDOW : index]
                if median(each.create_ms for each in window) <= NORMAL * quiet_ms:
                    return window[-1].at - since
            await asyncio.sleep(0.05)
        return None


async def _timed(victim: Victim, connection: Connection, method: str, path: str, fields: object = None) -> float:
    begun = time.perf_counter()
    answer: Answer = await connection.ask(method, path, fields)
    if answer.status >= 400:
        victim.failures.append(answer.code)
    return (time.perf_counter() - begun) * 1000


def latency(values: list[float]) -> Latency:
    """Return the latency that half, and 99 of 100, did not exceed."""
    if len(values) < 2:
        return Latency(float("nan"), float("nan"))
    return Latency(median(values), quantiles(values, n=100)[98])


@asynccontextmanager
async def working(port: int, token: str) -> AsyncIterator[Victim]:
    """Have a victim at work for the length of the block."""
    victim = Victim()
    async with connected(port, token) as connection, asyncio.TaskGroup() as group:
        task = group.create_task(victim.run(connection))  # what ends the victim ends the measurement
        yield victim
        task.cancel()

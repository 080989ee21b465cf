"""What one environment that asks for too much does to another one: its latency before, meanwhile and after.

A local Kafka, Postgres and Pipeloom are started in a folder of their own. One client of a quiet environment creates and
gets pipelines all the time. Meanwhile a noisy one bursts, each time after a quiet phase: creates over many HTTP
connections; commands straight to Kafka, on another partition and on the same one; lists of all that it has.
"""

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.overload_noise import BEGUN
from benchmarks.overload_stack import Stack, Tenant, open_stack
from benchmarks.overload_victim import Latency, Victim, latency, working

OUTPUT = Path("build/benchmarks/overload.json")
WARM_UP_S = 5.0
RECOVERY_S = 60.0
DRAIN_S = 300.0
LISTERS = 16


@dataclass(frozen=True)
class Burst:
    """One burst, and what the victim noticed of it."""

    name: str
    quiet_create: Latency
    burst_create: Latency
    quiet_get: Latency
    burst_get: Latency
    quiet_rounds_per_s: float
    burst_rounds_per_s: float
    recovered_s: float | None
    noise: dict[str, int]
    victim_failures: list[str]


@dataclass(frozen=True)
class Plan:
    """How much of everything."""

    quiet_s: float
    burst_s: float
    connections: int
    commands: int


Made = tuple[float, float, dict[str, int]]
"""When a burst began and ended, and what it was."""


class Measurement:
    """The stack, the victim at work, and who makes noise."""

    def __init__(self, plan: Plan, stack: Stack, victim: Victim, noisy: Tenant, neighbour: Tenant) -> None:
        self._plan = plan
        self._stack = stack
        self._victim = victim
        self._noisy = noisy
        self._neighbour = neighbour

    async def run(self, say: Callable[[str], None]) -> list[Burst]:
        """Return what each burst did."""
        say(f"warming up for {WARM_UP_S:g} s")
        await asyncio.sleep(WARM_UP_S)
        creates = f"{self._plan.connections} connections create"
        apart, beside = (f"{self._plan.commands} commands by Kafka, {where} partition" for where in ("another", "same"))
        bursts: dict[str, Callable[[], Awaitable[Made]]] = {
            creates: lambda: self._over_http("creates", self._plan.connections),
            apart: lambda: self._over_kafka(self._noisy),
            f"{LISTERS} connections list all": lambda: self._over_http("lists", LISTERS),
            beside: lambda: self._over_kafka(self._neighbour),
        }
        found = []
        for name, make in bursts.items():
            found.append(await self._measured(name, make, say))
            say(_sentence(found[-1]))
        return found

    async def _measured(self, name: str, make: Callable[[], Awaitable[Made]], say: Callable[[str], None]) -> Burst:
        say(f"quiet for {self._plan.quiet_s:g} s")
        quiet_from = time.monotonic()
        await asyncio.sleep(self._plan.quiet_s)
        quiet_until = time.monotonic()
        self._victim.failures.clear()
        say(f"burst: {name}")
        begun, ended, noise = await make()
        quiet, meanwhile = self._victim.between(quiet_from, quiet_until), self._victim.between(begun, ended)
        quiet_create = latency([each.create_ms for each in quiet])
        say("waiting for normal latency")
        return Burst(
            name=name,
            quiet_create=quiet_create,
            burst_create=latency([each.create_ms for each in meanwhile]),
            quiet_get=latency([each.get_ms for each in quiet]),
            burst_get=latency([each.get_ms for each in meanwhile]),
            quiet_rounds_per_s=len(quiet) / (quiet_until - quiet_from),
            burst_rounds_per_s=len(meanwhile) / (ended - begun),
            recovered_s=await self._victim.recovered(ended, quiet_create.p50, RECOVERY_S),
            noise=noise,
            victim_failures=list(self._victim.failures),
        )

    async def _over_http(self, kind: str, connections: int) -> Made:
        place = ["--port", str(self._stack.port), "--token", self._noisy.token]
        how = ["--connections", str(connections), "--seconds", str(self._plan.burst_s)]
        noise = await _Noise.start(kind, *place, *how)
        made = await noise.made()
        return noise.begun, noise.ended, made

    async def _over_kafka(self, tenant: Tenant) -> Made:
        """Produce, and wait until all of it is decided."""
        where = ["--bootstrap", self._stack.kafka, "--environment", tenant.environment]
        noise = await _Noise.start("kafka", *where, "--commands", str(self._plan.commands))
        made = await noise.made()
        async with asyncio.timeout(DRAIN_S):
            while True:
                if await self._stack.undecided(tenant.partition) <= 1:  # the victim may be on that partition too
                    break
                await asyncio.sleep(0.1)
        seconds = time.monotonic() - noise.begun
        return noise.begun, time.monotonic(), {**made, "decided_per_s": int(self._plan.commands / seconds)}


class _Noise:
    """A process that makes noise; the burst is from when it says that it begins."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.begun = self.ended = time.monotonic()

    @classmethod
    async def start(cls, *arguments: str) -> "_Noise":
        argv = [sys.executable, "-m", "benchmarks.overload_noise", *arguments]
        noise = cls(await asyncio.create_subprocess_exec(*argv, stdout=asyncio.subprocess.PIPE))
        assert noise._process.stdout is not None
        said = (await noise._process.stdout.readline()).decode().strip()
        if said != BEGUN:
            raise RuntimeError(f"the noise did not begin; what it said stands above: {said}")
        noise.begun = time.monotonic()
        return noise

    async def made(self) -> dict[str, int]:
        """Return what it did, once it has ended."""
        assert self._process.stdout is not None
        noise: dict[str, int] = json.loads(await self._process.stdout.readline())
        self.ended = time.monotonic()
        await self._process.wait()
        return noise


async def measure(plan: Plan, console: Console) -> list[Burst]:
    """Start all of it, measure, and stop it."""
    begun = time.monotonic()

    def say(message: str) -> None:
        console.print(f"{time.monotonic() - begun:6.1f} s  {message}", highlight=False)

    async with open_stack(console) as stack:
        quiet = await stack.tenant("quiet", range(1_000))
        noisy = await stack.tenant("noisy", [each for each in range(1_000) if each != quiet.partition])
        neighbour = await stack.tenant("neighbour", [quiet.partition])
        async with working(stack.port, quiet.token) as victim:
            return await Measurement(plan, stack, victim, noisy, neighbour).run(say)


def _sentence(burst: Burst) -> str:
    ratio = burst.burst_create.p50 / burst.quiet_create.p50
    rounds = f"{burst.quiet_rounds_per_s:.1f} → {burst.burst_rounds_per_s:.1f} rounds a second"
    return f"{burst.name}: {rounds}; creating took {ratio:.1f} times as long; normal after {_recovered(burst)}"


def _recovered(burst: Burst) -> str:
    return f"more than {RECOVERY_S:g} s" if burst.recovered_s is None else f"{burst.recovered_s:.1f} s"


def _table(bursts: list[Burst]) -> Table:
    table = Table(
        "burst",
        "rounds/s, quiet → burst",
        "create p50 / p99, quiet → burst",
        "× p50",
        "get p50 / p99, quiet → burst",
        "× p50",
        "normal after",
        "noise",
    )
    for each in bursts:
        table.add_row(
            each.name,
            f"{each.quiet_rounds_per_s:.1f} → {each.burst_rounds_per_s:.1f}",
            *_change(each.quiet_create, each.burst_create),
            *_change(each.quiet_get, each.burst_get),
            _recovered(each),
            ", ".join(f"{number} {what}" for what, number in each.noise.items()),
        )
    return table


def _change(quiet: Latency, burst: Latency) -> tuple[str, str]:
    told = f"{quiet.p50:.1f} / {quiet.p99:.1f} → {burst.p50:.1f} / {burst.p99:.1f} ms"
    return told, f"{burst.p50 / quiet.p50:.1f}"


def main() -> None:
    """Measure as the arguments say, print a table, and write what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quiet", type=float, default=8.0, metavar="SECONDS", help="how long each quiet phase is (8)")
    parser.add_argument("--burst", type=float, default=10.0, metavar="SECONDS", help="how long an HTTP burst is (10)")
    parser.add_argument("--connections", type=int, default=128, help="connections that create at once (128)")
    parser.add_argument("--commands", type=int, default=50_000, help="commands of a burst through Kafka (50000)")
    parser.add_argument("--output", type=Path, default=OUTPUT, help=f"where the numbers go ({OUTPUT})")
    given = parser.parse_args()
    plan = Plan(given.quiet, given.burst, given.connections, given.commands)
    load_before = os.getloadavg()[0]
    bursts = asyncio.run(measure(plan, Console(stderr=True)))
    given.output.parent.mkdir(parents=True, exist_ok=True)
    told = {
        "plan": asdict(plan),
        "load_before": load_before,
        "cpus": os.cpu_count(),
        "bursts": [asdict(each) for each in bursts],
    }
    given.output.write_text(json.dumps(told, indent=2) + "\n")
    Console(width=180).print(_table(bursts))


if __name__ == "__main__":
    main()

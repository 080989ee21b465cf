"""Runs one seed, quietly, and says what it found."""

import asyncio
import hashlib
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import structlog

from tests.simulation.checks import violations
from tests.simulation.clock import VirtualLoop
from tests.simulation.world import World

TRACE_LINES = 60


@dataclass(frozen=True, slots=True)
class Report:
    """What a run was and what it broke. `trace` is the whole of it, line by line."""

    seed: int
    found: list[str]
    trace: list[str]
    commands: int
    events: int
    calls: int
    strikes: int
    virtual_s: float

    @property
    def digest(self) -> str:
        """The trace in one word: two runs of a seed have the same one."""
        return hashlib.sha256("\n".join(self.trace).encode()).hexdigest()[:16]

    def told(self) -> str:
        """Return the failure with the end of its trace, and how to run it again."""
        return "\n".join(
            [
                f"seed {self.seed}: {len(self.found)} violations",
                *(f"  {each}" for each in self.found),
                f"the last {TRACE_LINES} of {len(self.trace)} lines of its trace:",
                *(f"  {line}" for line in self.trace[-TRACE_LINES:]),
                f"again, with the whole trace: make simulate SEED={self.seed}",
            ]
        )


def run_seed(seed: int) -> Report:
    """Run the world of `seed` to its end."""
    loop = VirtualLoop()
    loop.set_exception_handler(lambda *_: None)
    try:
        return loop.run_until_complete(_run(seed))
    finally:
        loop.close()


async def _run(seed: int) -> Report:
    world = World(seed)
    with _logs_in(world):
        try:
            await world.run()
            found = violations(world)
        except TimeoutError:
            found = ["it did not come to its end after everything had healed", *violations(world)]
        finally:
            ends = await world.bury()
        found += [f"a process ended by itself: {end}" for end in ends]
    return Report(
        seed,
        found,
        [f"{time:10.6f} {who}: {what}" for time, who, what in world.network.trace],
        sum(len(world.broker.logs[where].committed()) for where in world.broker.logs if "commands" in where.topic),
        len(world.postgres.tables.events),
        world.network.calls,
        world.strikes,
        asyncio.get_running_loop().time(),
    )


@contextmanager
def _logs_in(world: World) -> Iterator[None]:
    """Put what the services log into the trace."""

    def trace(_: Any, level: str, line: MutableMapping[str, Any]) -> str:
        event = line.pop("event")
        for hidden in ("exc_info", "repeats"):
            line.pop(hidden, None)
        world.network.tell("log", f"{level}: {event} {line or ''}")
        raise structlog.DropEvent

    before = structlog.get_config()
    structlog.configure(processors=[trace], cache_logger_on_first_use=False)
    try:
        yield
    finally:
        structlog.configure(**before)

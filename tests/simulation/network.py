"""The way between a process and a server: every call may be late, lost on either way, or the caller's last."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from tests.simulation.clock import Process, nowhere

Answer = TypeVar("Answer")
Raised = Callable[[], Exception]

KINDS = ("refused", "unsent", "unanswered", "cut", "late", "killed before", "killed after", "paused before", "paused")


@dataclass(slots=True)
class Faults:
    """How often a call goes wrong, in which ways, and how slow the others are."""

    rate: float = 0.0
    kinds: tuple[str, ...] = KINDS
    slow_rate: float = 0.0
    longest_pause_s: float = 4.0


class Network:
    """Carries the calls; the trace of a run is what it and the processes tell."""

    def __init__(self, seed: object, faults: Faults | None = None) -> None:
        self.random = random.Random(f"network {seed}")
        self.faults = faults or Faults()
        self.trace: list[tuple[float, str, str]] = []
        self.calls = 0
        self._context = nowhere()

    def tell(self, who: str, what: str) -> None:
        """Add a line to the trace."""
        self.trace.append((asyncio.get_running_loop().time(), who, what))

    def later(self, delay_s: float, work: Callable[..., object], *arguments: object) -> None:
        """Do something at a server after a while, whatever becomes of who asked for it."""
        asyncio.get_running_loop().call_later(delay_s, work, *arguments, context=self._context)

    def delay(self) -> float:
        """Return how long one way takes."""
        faults = self.faults
        if faults.slow_rate and self.random.random() < faults.slow_rate:
            return self.random.uniform(0.01, 0.5)
        return self.random.uniform(0.0002, 0.003)

    async def call(
        self, process: Process | None, name: str, serve: Callable[[], Answer], trouble: Raised, hangs_s: float
    ) -> Answer:
        """Have a server do `serve`. Raises what that raises, or `trouble` when nobody can tell whether it was done."""
        self.calls += 1
        if process is not None and process.is_dead:
            raise asyncio.CancelledError
        kind = self._fault(process)
        if kind is not None:
            self.tell(process.name if process else "-", f"{name}: {kind}")
        if kind in {"killed before", "paused before"} and process is not None:
            await self._strike(kind, process)
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._send(answer, process, serve, kind, trouble, hangs_s)
        found: Answer = await answer
        if process is not None and process.is_dead:
            raise asyncio.CancelledError
        return found

    def _fault(self, process: Process | None) -> str | None:
        if not self.faults.rate or process is None or self.random.random() >= self.faults.rate:
            return None
        return self.random.choice(self.faults.kinds)

    async def _strike(self, kind: str, process: Process) -> None:
        if kind.startswith("killed"):
            process.kill()
            raise asyncio.CancelledError
        self._pause(process)
        await asyncio.sleep(0)

    def _pause(self, process: Process) -> None:
        process.pause()
        self.later(self.random.uniform(0.1, self.faults.longest_pause_s), process.resume)

    def _send(
        self,
        answer: "asyncio.Future[Any]",
        process: Process | None,
        serve: Callable[[], Any],
        kind: str | None,
        trouble: Raised,
        hangs_s: float,
    ) -> None:
        match kind:
            case "refused":
                self.later(self.delay(), _fail, answer, trouble())
            case "unsent":
                self.later(hangs_s, _fail, answer, trouble())
            case "late":
                self.later(self.random.uniform(0, 1.5 * hangs_s), _serve, serve)
                self.later(hangs_s, _fail, answer, trouble())
            case _:
                self.later(self.delay(), self._serve, answer, process, serve, kind, trouble, hangs_s)

    def _serve(
        self,
        answer: "asyncio.Future[Any]",
        process: Process | None,
        serve: Callable[[], Any],
        kind: str | None,
        trouble: Raised,
        hangs_s: float,
    ) -> None:
        settle = _serve(serve)
        match kind:
            case "unanswered":
                self.later(hangs_s, _fail, answer, trouble())
            case "cut":
                self.later(self.delay(), _fail, answer, trouble())
            case "killed after" if process is not None:
                process.kill()
            case "paused" if process is not None:
                self._pause(process)
                self.later(self.delay(), settle, answer)
            case _:
                self.later(self.delay(), settle, answer)


def _serve(serve: Callable[[], Any]) -> Callable[["asyncio.Future[Any]"], None]:
    """Do it now, and return what tells the one who asked."""
    try:
        value = serve()
    except Exception as error:  # noqa: BLE001 - it is the caller's
        refusal = error
        return lambda answer: _fail(answer, refusal)
    return lambda answer: None if answer.done() else answer.set_result(value)


def _fail(answer: "asyncio.Future[Any]", error: Exception) -> None:
    if not answer.done():
        answer.set_exception(error)

"""An event loop whose clock jumps to the next thing that happens, and the processes that live in it."""

import asyncio
import heapq
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar, copy_context
from typing import Any

_process: "ContextVar[Process | None]" = ContextVar("process", default=None)


class NothingLeftError(RuntimeError):
    """Everybody waits, and nothing will ever happen."""


class Process:
    """What can be killed or paused as one: every callback and every task that began in its context."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_dead = False
        self.is_paused = False
        self.stop = asyncio.Event()
        self.context = copy_context()
        self.context.run(_process.set, self)
        self.on_death: list[Callable[[], object]] = []
        self.task: asyncio.Task[None] | None = None
        self._helpers: list[asyncio.Task[None]] = []
        self._held: list[asyncio.Handle] = []

    def run(self, main: Coroutine[Any, Any, None]) -> None:
        """Begin the process."""
        self.task = asyncio.get_running_loop().create_task(main, context=self.context)

    def adopt(self, helper: "asyncio.Task[None]") -> None:
        """End a client's own task with the process."""
        self._helpers.append(helper)

    def kill(self) -> None:
        """End it as kill -9 does: what its tasks still do while they unwind reaches nobody."""
        if self.is_dead:
            return
        self.is_dead = True
        self.resume()
        for task in [self.task, *self._helpers]:
            if task is not None:
                task.cancel()
        for tell in self.on_death:
            tell()

    def pause(self) -> None:
        """Stop it as SIGSTOP does: time goes on without it."""
        self.is_paused = True

    def resume(self) -> None:
        """Let it go on; all that it slept through is there at once."""
        self.is_paused = False
        held, self._held = self._held, []
        asyncio.get_running_loop()._ready.extend(held)  # type: ignore[attr-defined]

    def hold(self, handle: asyncio.Handle) -> None:
        """Keep a callback until the process goes on."""
        self._held.append(handle)


class _Task(asyncio.Task):  # type: ignore[type-arg]
    """A task whose place in a set does not depend on its address."""

    _made = 0

    def __init__(self, *args: Any, **options: Any) -> None:
        _Task._made += 1
        self._number = _Task._made
        super().__init__(*args, **options)

    def __hash__(self) -> int:
        return self._number

    def __eq__(self, other: object) -> bool:
        return self is other


class VirtualLoop(asyncio.BaseEventLoop):
    """Runs what is ready in its order; when nothing is, the clock jumps to the next timer."""

    def __init__(self) -> None:
        super().__init__()
        self.set_debug(False)
        self._now = 0.0
        self.set_task_factory(lambda loop, work, context=None: _Task(work, loop=loop, context=context))

    def time(self) -> float:
        return self._now

    def _write_to_self(self) -> None:
        pass

    def _process_events(self, event_list: object) -> None:
        pass

    def _run_once(self) -> None:
        ready, timers = self._ready, self._scheduled  # type: ignore[attr-defined]
        if not ready and not self._stopping:  # type: ignore[attr-defined]
            while timers and timers[0]._cancelled:
                heapq.heappop(timers)
            if not timers:
                raise NothingLeftError
            self._now = max(self._now, timers[0]._when)
        while timers and timers[0]._when <= self._now:
            ready.append(heapq.heappop(timers))
        for _ in range(len(ready)):
            handle = ready.popleft()
            if handle._cancelled:
                continue
            process = handle._context.get(_process)
            if process is not None and process.is_paused:
                process.hold(handle)
            else:
                handle._run()


def nowhere() -> Context:
    """Return a context that belongs to no process: the one of servers and the network."""
    context = copy_context()
    context.run(_process.set, None)
    return context

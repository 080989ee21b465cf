"""One process around a service: settings, logs, signals, the health page, and a clean end."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from typing import Any

import structlog
import uvicorn
import uvloop

from services.kit.collecting import collect_seldom
from services.kit.health import Health, health_app
from services.kit.last_end import LAST_END
from services.kit.logs import configure_logs
from services.kit.loop_guard import loop_guard
from services.kit.loop_lag import measure_loop_lag
from services.kit.patience import Ending
from services.kit.settings import Settings, UnusableSettingsError, load_settings
from services.kit.tracing import tracing

DRAIN_S = 8.0
# Who waits then for news is answered without them: this takes up to 2 s.
RELEASE_S = 5.0
STOP_WITHIN_S = 10.0
CANCEL_WITHIN_S = 3.0
# What has given up may be unable to stop: from then on it has so long, all in all.
GIVE_UP_WITHIN_S = 15.0
# After so long the kernel gives up a peer that takes nothing of what it was sent: nobody else would.
UNREAD_WITHIN_MS = 30_000

HELD_UP = 75
"""The exit code of a process that gave up because its work stood still (EX_TEMPFAIL)."""

NICENESS = 10

Main = Callable[[Settings, Health, asyncio.Event], Awaitable[None]]


class StartError(RuntimeError):
    """A service that cannot start as it is set up; the message says why and what to do."""


def run_service(name: str, main: Main, *, yields: bool = False) -> None:
    """Run `main(settings, health, stop)` until it returns; SIGTERM and SIGINT set `stop`.

    One that `yields` leaves the processors to those that clients wait for, when there are not enough.
    Exits with 1 and a sentence when the settings cannot be used or the service cannot start, with HELD_UP and one when
    it gave up; any other exception of `main` passes through.
    """
    try:
        settings = load_settings()
    except UnusableSettingsError as error:
        sys.exit(f"pipeloom {name}: {error}")
    configure_logs(settings.log_format, name)
    collect_seldom()
    if yields:
        os.nice(NICENESS)
    refused: BaseException | None = None
    health = Health(last_end=os.environ.get(LAST_END))
    try:
        with tracing(settings.tracing, name), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_run(name, main, settings, health))
    except* StartError as group:
        refused = _first_of(group)
    if health.gave_up is not None:
        _say_why(name, health.gave_up)
        sys.exit(HELD_UP)
    if refused is not None:
        sys.exit(f"pipeloom {name}: {refused}")


def _say_why(name: str, reason: str) -> None:
    print(f"pipeloom {name}: {reason}", file=sys.stderr, flush=True)


def _first_of(group: BaseExceptionGroup[StartError]) -> BaseException:
    first: BaseException = group
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return first


async def _run(name: str, main: Main, settings: Settings, health: Health) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    health.on_give_up = lambda: _give_up(name, health, stop)
    log = structlog.get_logger()
    log.info("starting")
    lag = asyncio.create_task(measure_loop_lag(), name="event loop lag")
    try:
        with loop_guard(name, settings.watchdog.blocked_after_s):
            async with _admin_page(settings, health):
                await _until_stopped(asyncio.ensure_future(main(settings, health, stop)), stop)
    except Exception:
        if health.gave_up is None:
            raise
        log.exception("it did not end in order")
    finally:
        lag.cancel()
    log.info("stopped")


def _give_up(name: str, health: Health, stop: asyncio.Event) -> None:
    """Stop in order; what hangs then is left behind, by a thread that needs nothing of it."""
    reason = str(health.gave_up)
    structlog.get_logger().error("gives up, to be started again", reason=reason)
    stop.set()

    def end() -> None:
        _say_why(name, f"{reason} (and it did not stop in order within {GIVE_UP_WITHIN_S:g} s)")
        os._exit(HELD_UP)

    timer = threading.Timer(GIVE_UP_WITHIN_S, end)
    timer.daemon = True
    timer.start()


async def _until_stopped(task: asyncio.Future[None], stop: asyncio.Event) -> None:
    """Wait for `task`; once `stop` is set it has STOP_WITHIN_S to end by itself, and is cancelled then.

    What is cancelled so hangs on a server that does not answer. Nothing is lost by it: all that matters is in a
    transaction, of Kafka or of Postgres.
    """
    stopping = asyncio.create_task(stop.wait())
    try:
        either: set[asyncio.Future[Any]] = {task, stopping}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            await asyncio.wait({task}, timeout=STOP_WITHIN_S)
        if task.done():
            await task
            return
        structlog.get_logger().warning("stopped in the middle of something", after_s=STOP_WITHIN_S)
        task.cancel()
        await asyncio.wait({task}, timeout=CANCEL_WITHIN_S)
    finally:
        stopping.cancel()


@asynccontextmanager
async def _admin_page(settings: Settings, health: Health) -> AsyncIterator[None]:
    if not settings.health.port:
        yield
        return
    async with serving(health_app(health), settings.health.host, settings.health.port):
        yield


class _Server(uvicorn.Server):
    """A uvicorn server that leaves signals to its process and says when it is up."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.settled = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets)
        finally:
            self.settled.set()


@asynccontextmanager
async def serving(app: Any, host: str, port: int, ending: Ending | None = None) -> AsyncIterator[None]:
    """Serve the ASGI application `app` inside the block; at its end, drain what is under way within DRAIN_S seconds.

    `ending` is set for those who then still wait, in time for their answers.
    Raises StartError when the address cannot be listened on.
    """
    listener = _listen(host, port)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=int(DRAIN_S),
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]), name="http server")
    try:
        await server.settled.wait()
        if not server.started:
            raise StartError(f"the HTTP server could not start on {host}:{port}")
        yield
    finally:
        server.should_exit = True
        release = asyncio.get_running_loop().call_later(RELEASE_S, (ending or Ending()).set)
        try:
            async with asyncio.timeout(DRAIN_S + 2):
                await task
        finally:
            release.cancel()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        reason = error.strerror or str(error)
        raise StartError(f"the HTTP server could not start on {host}:{port} ({reason}); choose another port") from error
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # not everywhere; each connection has it from the listener
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_WITHIN_MS)
    return listener


@asynccontextmanager
async def running(*works: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run `works` beside the block and cancel them at its end; the failure of one ends the block and is raised."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(work) for work in works]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()

"""The supervisor's end of the fork server: our own programs as processes that share memory and load nothing twice."""

import asyncio
import contextlib
import gc
import json
import os
import signal
import socket
import sys
import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pipeloom.local.forkserver import MOST_BYTES, Request, serve

_BEGINS_WITHIN = 60.0


class ForkError(Exception):
    """The fork server cannot do it; the program is to be started in the ordinary way."""


class ForkedProcess:
    """A process that the fork server forked, whose end it tells."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._ended = asyncio.Event()

    def end(self, code: int) -> None:
        """Take note of its exit code."""
        self.returncode = code
        self._ended.set()

    async def wait(self) -> int:
        """Return the exit code once it has ended."""
        await self._ended.wait()
        return self.returncode or 0


class Forks:
    """Asks the fork server, and hears from it."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._channel.setblocking(False)
        self._is_up, self._listens = True, False
        self._expected: deque[asyncio.Future[ForkedProcess]] = deque()
        self._running: dict[int, ForkedProcess] = {}

    def can_run(self, argv: Sequence[str | Path]) -> bool:
        """Tell whether this is a command line that it can do: a module of the services, as a program."""
        return self._is_up and list(argv[:2]) == [sys.executable, "-m"] and str(argv[2]).startswith("services.")

    async def fork(self, argv: Sequence[str | Path], env: Mapping[str, str], standard: Sequence[int]) -> ForkedProcess:
        """Start a command line that it can do, with these descriptors as standard input, output and error.

        Raises ForkError when it is not started.
        """
        self._listen()
        request = Request(str(argv[2]), [str(argument) for argument in argv[3:]], dict(env))
        try:
            socket.send_fds(self._channel, [request.to_bytes()], list(standard))
        except OSError as trouble:
            raise ForkError(f"the fork server takes no request: {trouble}") from trouble
        expected: asyncio.Future[ForkedProcess] = asyncio.get_running_loop().create_future()
        self._expected.append(expected)
        try:
            return await asyncio.wait_for(expected, _BEGINS_WITHIN)
        except TimeoutError:
            self._give_up()
            raise ForkError(f"the fork server did not answer within {_BEGINS_WITHIN:g} s") from None

    def close(self) -> None:
        """Let the fork server end, and what it forked."""
        self._is_up = False
        self._channel.close()

    def _listen(self) -> None:
        if not self._listens:
            self._listens = True
            asyncio.get_running_loop().add_reader(self._channel.fileno(), self._hear)

    def _hear(self) -> None:
        try:
            data = self._channel.recv(MOST_BYTES)
        except BlockingIOError:
            return
        except ConnectionResetError:
            data = b""
        if not data:
            self._give_up()
            return
        what, pid, code = json.loads(data)
        if what == "began":
            self._begin(pid)
        else:
            self._running.pop(pid).end(code)

    def _begin(self, pid: int) -> None:
        process = self._running[pid] = ForkedProcess(pid)
        expected = self._expected.popleft()
        if expected.done():  # nobody waits for it any more
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        else:
            expected.set_result(process)

    def _give_up(self) -> None:
        """Go on without the fork server: what it forked ended with it."""
        if self._is_up:
            asyncio.get_running_loop().remove_reader(self._channel.fileno())
            self.close()
        for process in self._running.values():
            process.end(-signal.SIGKILL)
        self._running.clear()
        while self._expected:
            expected = self._expected.popleft()
            if not expected.done():
                expected.set_exception(ForkError("the fork server has ended"))


@contextlib.contextmanager
def forking(preload: Sequence[str]) -> Iterator[Forks | None]:
    """Run a fork server, which loads these modules, for the length of the block; None where that is not safe.

    To be called before there is a thread or an event loop, and after all that should be shared is loaded.
    """
    if sys.platform != "linux" or threading.active_count() > 1:
        yield None
        return
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    parent = os.getpid()
    gc.collect()
    gc.freeze()
    pid = os.fork()
    if pid == 0:
        try:
            ours.close()
            serve(theirs, parent, preload)
        finally:
            os._exit(1)
    theirs.close()
    forks = Forks(ours)
    try:
        yield forks
    finally:
        forks.close()
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)

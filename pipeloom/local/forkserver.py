"""The process that our own programs are forked from: it has loaded what they share, and does nothing else.

It has one thread and no event loop, so that what it forks begins clean. It ends with the supervisor, and everything
that it forked ends with it.
"""

import atexit
import contextlib
import gc
import importlib
import io
import json
import os
import runpy
import signal
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing import connection, get_context
from multiprocessing.context import ForkProcess
from typing import Any, NoReturn

from pipeloom.local.launch import die_with
from pipeloom.local.process_title import set_title

MOST_BYTES = 131_072
_STANDARD = (0, 1, 2)
_fork = get_context("fork")


@dataclass(frozen=True)
class Request:
    """A module to run as a program: its arguments and its whole environment."""

    module: str
    arguments: Sequence[str]
    env: dict[str, str]

    def to_bytes(self) -> bytes:
        """Return what `from_bytes` reads."""
        return json.dumps([self.module, list(self.arguments), self.env]).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> "Request":
        """Read what `to_bytes` wrote."""
        return cls(*json.loads(data))


def serve(channel: socket.socket, parent: int, preload: Sequence[str]) -> NoReturn:
    """Load modules and fork programs on request until the other end of `channel` is closed. Never returns."""
    os.setsid()  # Ctrl-C is for the supervisor
    die_with(parent, signal.SIGKILL)
    set_title("-m", "pipeloom.local.forkserver")
    atexit._clear()
    _leave_the_folder_out()
    gc.disable()  # it would touch, and so copy, what is shared
    _Server(channel).run(list(preload))
    os._exit(0)


class _Server:
    """Forks, and tells which process began and how it ended."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._children: dict[int, ForkProcess] = {}

    def run(self, preload: list[str]) -> None:
        while True:
            if preload:
                _load(preload.pop(0))
            by_sentinel = {child.sentinel: child for child in self._children.values()}
            for ready in connection.wait([self._channel, *by_sentinel], timeout=0 if preload else None):
                if ready is not self._channel:
                    self._tell_the_end(by_sentinel[ready])  # type: ignore[index]
                elif not self._answer():
                    return

    def _answer(self) -> bool:
        data, descriptors, _, _ = socket.recv_fds(self._channel, MOST_BYTES, len(_STANDARD))
        if not data:
            return False
        gc.freeze()
        child = _fork.Process(target=_become, args=(Request.from_bytes(data), descriptors, self._channel, os.getpid()))
        child.start()
        for descriptor in descriptors:
            os.close(descriptor)
        self._children[child.sentinel] = child
        self._tell("began", child)
        return True

    def _tell_the_end(self, child: ForkProcess) -> None:
        child.join()
        del self._children[child.sentinel]
        self._tell("ended", child)
        child.close()

    def _tell(self, what: str, child: ForkProcess) -> None:
        with contextlib.suppress(BrokenPipeError):  # the supervisor has gone, and takes us with it
            self._channel.send(json.dumps([what, child.pid, child.exitcode]).encode())


def _load(module: str) -> None:
    with contextlib.suppress(ModuleNotFoundError):  # of an extra; who needs it says so
        importlib.import_module(module)


def _leave_the_folder_out() -> None:
    """Look for no modules in the script's folder, which may hold a `services` or a `logging.py` of the user's."""
    if not sys.flags.safe_path:
        del sys.path[0]


def _become(request: Request, descriptors: Sequence[int], channel: socket.socket, parent: int) -> None:
    """Run a module as if a new interpreter did."""
    os.setsid()
    die_with(parent, signal.SIGKILL)
    channel.close()
    for descriptor, standard in zip(descriptors, _STANDARD, strict=True):
        os.dup2(descriptor, standard)
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(request.env)
    set_title("-m", request.module, *request.arguments)
    sys.argv[1:] = request.arguments
    sys.stdout, sys.stderr = _unbuffered(1), _unbuffered(2, "backslashreplace")
    gc.enable()
    runpy.run_module(request.module, run_name="__main__", alter_sys=True)


def _unbuffered(descriptor: int, errors: str = "strict") -> Any:
    raw = open(descriptor, "wb", buffering=0, closefd=False)  # noqa: SIM115 - open to the end
    return io.TextIOWrapper(raw, encoding="utf-8", errors=errors, write_through=True)

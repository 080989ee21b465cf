"""Programs that a benchmark starts: they end when it does, however it does."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from pipeloom.local.process import Command

STOP_S = 25.0
LOOK_EVERY_S = 0.01


@contextmanager
def child(
    name: str, argv: Sequence[str], log_file: Path, env: Mapping[str, str] | None = None, piped: bool = False
) -> "Iterator[subprocess.Popen[str]]":
    """Run `python ARGV` inside the block, in a session of its own so that Ctrl-C reaches the benchmark first."""
    command = Command(name, [sys.executable, *argv], log_file, orphan_signal=signal.SIGTERM)
    log_file.parent.mkdir(parents=True, exist_ok=True)
    pipe = subprocess.PIPE if piped else None
    with log_file.open("ab") as log:
        process = subprocess.Popen(
            command.launcher(),
            stdin=pipe or subprocess.DEVNULL,
            stdout=pipe or log,
            stderr=log,
            env={**os.environ, **(env or {})},
            text=True,
            start_new_session=True,
        )
    with process:  # closes the pipes
        try:
            yield process
        finally:
            end(process)


def end(process: "subprocess.Popen[str]") -> None:
    """Ask a child to end, and kill it when it does not."""
    if process.poll() is None:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_S)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(STOP_S)


def wait_until(is_so: Callable[[], bool], within_s: float, what: str) -> float:
    """Return after how many seconds it was so. Raises TimeoutError."""
    began = time.perf_counter()
    while not is_so():
        if time.perf_counter() - began > within_s:
            raise TimeoutError(f"{what} was not so after {within_s:g} s")
        time.sleep(LOOK_EVERY_S)
    return time.perf_counter() - began

"""`pipeloom verify` and `pipeloom rebuild` as their user runs them: rate, processor time and peak memory."""

import json
import os
import subprocess
import sys
import threading
import time
from typing import NamedTuple

import psutil

from benchmarks.growth_installation import Installation

RUNS = ("verify", "rebuild")
LOOK_EVERY_S = 0.2
MIB = 1024 * 1024


class Measured(NamedTuple):
    """One run; processor time is that of the process and of its session in Postgres."""

    what: str
    events: int
    seconds: float
    process_cpu_s: float
    postgres_cpu_s: float
    peak_mib: float

    def sentence(self, size: str) -> str:
        """Tell the run in a line."""
        return (
            f"{self.what} of {size} pipelines: {self.events:,} events in {self.seconds:.1f} s, "
            f"{self.events / self.seconds:,.0f} a second; {self.process_cpu_s:.1f} s of processor time and "
            f"{self.postgres_cpu_s:.1f} s in Postgres; peak {self.peak_mib:.0f} MiB"
        )


def measure(installation: Installation, postmaster: int, what: str) -> Measured:
    """Run it to its end. Raises CalledProcessError when it finds a difference or fails."""
    settings = installation.settings
    began = time.monotonic()
    with subprocess.Popen(
        [sys.executable, "-m", "services.composer.recovery", what, "--output", "json"],
        env={
            **os.environ,
            "PIPELOOM_POSTGRES__DSN": settings.postgres.dsn.get_secret_value(),
            "PIPELOOM_KAFKA__TOPIC_PREFIX": settings.kafka.topic_prefix,
        },
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        watch = _Watch(process.pid, postmaster, settings.kafka.topic_prefix)
        watch.start()
        told, _ = process.communicate()
        watch.join()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, what, told)
    events = json.loads(told)["events"]
    return Measured(what, events, time.monotonic() - began, watch.cpu_s, watch.postgres_s, watch.peak / MIB)


class _Watch(threading.Thread):
    """Looks at the process and at its session until the process ends."""

    def __init__(self, pid: int, postmaster: int, database: str) -> None:
        super().__init__(name="watch recovery", daemon=True)
        self.peak, self.cpu_s, self.postgres_s = 0, 0.0, 0.0
        self._process, self._postmaster = psutil.Process(pid), psutil.Process(postmaster)
        self._mark = f" {database} "
        self._session: psutil.Process | None = None

    def run(self) -> None:
        while self._look():
            time.sleep(LOOK_EVERY_S)

    def _look(self) -> bool:
        try:
            if self._process.status() == psutil.STATUS_ZOMBIE:
                return False
            self.peak = max(self.peak, self._process.memory_info().rss)
            self.cpu_s = sum(self._process.cpu_times()[:2])
        except psutil.NoSuchProcess:
            return False
        try:
            self._session = self._session or self._find_session()
            if self._session:
                self.postgres_s = sum(self._session.cpu_times()[:2])
        except psutil.NoSuchProcess:
            pass  # the session has ended before its process
        return True

    def _find_session(self) -> psutil.Process | None:
        for each in self._postmaster.children():
            if self._mark in " ".join(each.cmdline()):
                return each
        return None

"""What an operation costs: how long it is waited for, and the processor time of all who work for it."""

import contextlib
from collections.abc import Sequence
from typing import NamedTuple

import psutil

from benchmarks.growth_installation import Installation


class Cost(NamedTuple):
    """The cost of one operation in the middle of a round."""

    waited_ms: float
    processor_ms: float


class ProcessorTime:
    """The processor time of an installation's services and of their sessions in Postgres. Kafka's is not in it."""

    def __init__(self, pids: Sequence[int], postmaster: int, installation: Installation) -> None:
        """Begin to look at the processes that are there."""
        self._services = [psutil.Process(pid) for pid in pids]
        self._postmaster = psutil.Process(postmaster)
        self._mark = f" {installation.settings.kafka.topic_prefix} "
        self._sessions: dict[int, float] = {}

    def read_ms(self) -> float:
        """Return how much there was so far; sessions that have ended count on."""
        for each in self._postmaster.children():
            with contextlib.suppress(psutil.NoSuchProcess):
                if each.pid in self._sessions or self._mark in " ".join(each.cmdline()):
                    self._sessions[each.pid] = sum(each.cpu_times()[:2])
        services = sum(sum(each.cpu_times()[:2]) for each in self._services)
        return 1_000 * (services + sum(self._sessions.values()))

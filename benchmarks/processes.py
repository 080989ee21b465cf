"""What processes use, as the kernel tells it: CPU seconds and memory of every process below one."""

import contextlib
import os
import re
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
PROC = Path("/proc")
SETTLE_WITHIN_S = 5.0
SETTLE_WINDOW_S = 0.25
# A share of one core that the idle product stays below.
QUIET_CORES = 0.25

_PARTS = {
    "kafka": re.compile(r"\bkafka\.Kafka\b"),
    "postgres": re.compile(r"/postgres\b|^postgres:"),
    "supervisor": re.compile(r"\bpipeloom up\b"),
    "forkserver": re.compile(r"\bpipeloom\.local\.forkserver\b"),
}
_SERVICE = re.compile(r"-m services\.([a-z]+)|\bbenchmarks\.baseline\.([a-z]+)")


@dataclass(frozen=True, slots=True)
class Usage:
    """One process: whose child it is, what it runs, and the CPU seconds that it and its ended children used."""

    pid: int
    parent: int
    command: str
    cpu_s: float


def part_of(command: str) -> str:
    """Return which part of the product a command line belongs to."""
    service = _SERVICE.search(command)
    if service:
        return service[1] or service[2]
    return next((part for part, pattern in _PARTS.items() if pattern.search(command)), "other")


def read_stat(text: str, command: str) -> Usage:
    """Read a line of /proc/PID/stat; the name in brackets may hold anything."""
    pid, _, rest = text.partition(" ")
    fields = rest[rest.rindex(")") + 2 :].split()
    return Usage(int(pid), int(fields[1]), command, sum(map(int, fields[11:15])) / TICKS)


def below(everything: Iterable[Usage], top: int) -> list[Usage]:
    """Return a process and all that descend from it."""
    known = list(everything)
    found = {top}
    while more := {each.pid for each in known if each.parent in found} - found:
        found |= more
    return [each for each in known if each.pid in found]


def cpu_of_parts(usages: Iterable[Usage]) -> Counter[str]:
    """Return part → CPU seconds so far."""
    seconds: Counter[str] = Counter()
    for each in usages:
        seconds[part_of(each.command)] += each.cpu_s  # type: ignore[assignment]
    return seconds


def used_between(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """Return part → CPU seconds used since `before`."""
    return {part: max(0.0, seconds - before.get(part, 0.0)) for part, seconds in after.items()}


def processes_below(top: int) -> list[Usage]:
    """Return the running processes from `top` down."""
    found = []
    for folder in PROC.iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError, ValueError):  # it ends at this moment
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                found.append(read_stat((folder / "stat").read_text(), command))
    return below(found, top)


def cpu_below(*tops: int) -> Counter[str]:
    """Return part → CPU seconds so far of everything from some processes down."""
    return cpu_of_parts([each for top in tops for each in processes_below(top)])


def settle(top: int) -> None:
    """Return when the processes from `top` down have little left to do: what follows an answer is work as well."""
    deadline = time.monotonic() + SETTLE_WITHIN_S
    busy = QUIET_CORES + 1
    while busy > QUIET_CORES and time.monotonic() < deadline:
        before = sum(cpu_below(top).values())
        time.sleep(SETTLE_WINDOW_S)
        busy = (sum(cpu_below(top).values()) - before) / SETTLE_WINDOW_S


def pss_kib(smaps_rollup: str) -> int:
    """Return the proportional set size that /proc/PID/smaps_rollup tells: shared pages count once in all."""
    found = re.search(r"^Pss:\s+(\d+)", smaps_rollup, re.MULTILINE)
    return int(found[1]) if found else 0


def pss_mib_below(top: int) -> dict[str, float]:
    """Return part → MiB of everything from `top` down."""
    memory: dict[str, float] = {}
    for each in processes_below(top):
        with contextlib.suppress(OSError):
            part = part_of(each.command)
            kib = pss_kib((PROC / str(each.pid) / "smaps_rollup").read_text())
            memory[part] = memory.get(part, 0.0) + kib / 1024
    return memory

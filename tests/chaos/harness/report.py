"""Says what is being done, and in the end what was done, what was checked and what was found."""

import json
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.chaos.harness.history import History, Told
from tests.chaos.harness.plan import Fault

SHOWN = 10
LONGEST = 1000


class Progress:
    """Tells, line by line, how long it has been running and what happens."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    @property
    def elapsed_s(self) -> float:
        return self.since_start(time.monotonic())

    def since_start(self, at: float) -> float:
        """Return how long after the start a moment of the same clock was."""
        return at - self._began

    def say(self, what: str) -> None:
        print(f"{self.elapsed_s:7.1f}  {what}", flush=True)

    def broke(self, fault: Fault) -> None:
        self.say(str(fault))

    def count(self, history: History) -> None:
        """Tell how the clients fare."""
        told = Counter(each.told for each in history.asked)
        produced = sum(each.is_acknowledged for each in history.produced)
        kinds = "  ".join(f"{told[kind]} {kind.value}" for kind in Told)
        self.say(f"         commands: {kinds}  {produced} by Kafka   wrong: {len(history.wrong)}")


@dataclass
class Check:
    """A promise, over how many things it was held, how often it was broken, and some of what was wrong."""

    promise: str
    over: int = 0
    broken: int = 0
    examples: list[str] = field(default_factory=list)

    def hold(self, is_so: bool, *what: object) -> None:
        """Look at one thing more; `what` is told when something is wrong with it."""
        self.over += 1
        if not is_so:
            self.complain(*what)

    def complain(self, *what: object) -> None:
        """Note what is wrong."""
        self.broken += 1
        if len(self.examples) < SHOWN:
            self.examples.append(" ".join(map(str, what))[:LONGEST])


@dataclass
class Report:
    """All that is told of a run."""

    seed: int
    seconds: float
    acknowledged: int = 0
    healed_in_s: float = 0.0
    took_s: float = 0.0
    first_wrong_s: float | None = None
    """When a client first saw that something was wrong; what only the judging finds has no time of its own."""
    kills: dict[str, int] = field(default_factory=dict)
    summary: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    faults: dict[str, int] = field(default_factory=dict)
    not_possible: dict[str, int] = field(default_factory=dict)
    clients: dict[str, Any] = field(default_factory=dict)
    processes: dict[str, Any] = field(default_factory=dict)
    checks: list[Check] = field(default_factory=list)

    @property
    def violations(self) -> int:
        return sum(check.broken for check in self.checks)

    def write(self, file: Path) -> None:
        """Write it as JSON."""
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({**asdict(self), "violations": self.violations}, indent=2, default=str) + "\n")

    def text(self) -> str:
        """Return it as a reader wants it."""
        lines = [
            "",
            f"seed {self.seed}, {self.seconds:g} s of faults, {self.took_s:.0f} s in all",
            f"nothing was left to do {self.healed_in_s:.1f} s after the clients ended",
            "",
            f"done: {sum(self.faults.values())} faults",
            *_table(self.faults),
            *(f"  LEFT OUT  {what}: {why}" for what, why in self.left_out.items()),
            f"killed: {sum(self.kills.values())} times by kill -9 or SIGTERM",
            *_table(self.kills),
            *([f"not possible at that moment: {sum(self.not_possible.values())}"] if self.not_possible else []),
            *_table(self.not_possible),
            "in short:",
            *_table(self.summary),
            f"clients: {self.acknowledged} commands acknowledged",
            *_table(self.clients),
            "processes:",
            *_table(self.processes),
            "checked:",
            *(f"  {each.broken or 'ok':>4}  {each.promise} ({each.over})" for each in self.checks),
        ]
        for check in self.checks:
            lines += [f"  BROKEN  {check.promise}: {what}" for what in check.examples]
        return "\n".join([*lines, "", f"{self.violations} violations"])


def _table(counts: dict[str, Any]) -> list[str]:
    return [f"  {number!s:>8}  {what}" for what, number in counts.items()]

"""The layers that are to catch a mutant, each run on a copy of the code in a folder of its own."""

import json
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

SEQUENCES = "tests/unit/composer/test_any_sequence.py"
CHAOS = ("--seconds", "60", "--seed", "2", "--until-wrong")
SHOWN = 160
BROKEN = re.compile(r"^  BROKEN  (.+)", re.MULTILINE)
RAN = re.compile(r"^(\d+) seeds in ([0-9.]+) s", re.MULTILINE)


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant: by which layer it was caught, after what, and how it showed; or that it survived."""

    mutant: str
    layer: str
    is_caught: bool
    after: str
    seconds: float
    shown_by: str


class NotRun(Exception):  # noqa: N818 - it names what happened
    """A layer did not come to a verdict."""


def by_sequences(name: str, folder: Path) -> Verdict:
    """Ask any sequence of commands, which is for mutants of the rules: the simulation replays with the same ones."""
    began = time.monotonic()
    ran = _python(folder, "-m", "pytest", "-q", "-p", "no:cacheprovider", SEQUENCES)
    seconds = time.monotonic() - began
    if "1 failed" not in ran.stdout and ran.returncode:
        raise NotRun(ran.stdout + ran.stderr)
    last = ran.stdout.splitlines()[-1]
    return Verdict(name, "sequences", "1 failed" in ran.stdout, f"{seconds:.0f} s", seconds, last)


def by_simulation(name: str, folder: Path, seeds: int) -> Verdict:
    """Simulate up to so many seeds, from 1 on."""
    ran = _python(folder, "-m", "tests.simulation", "--base", "1", "--seeds", str(seeds))
    totals = RAN.search(ran.stdout)
    if totals is None:
        raise NotRun(ran.stdout + ran.stderr)
    first = next((line.strip() for line in ran.stdout.splitlines() if line.startswith("  ")), "nothing")
    after = f"{totals[1]} seed{'s' if totals[1] != '1' else ''}"
    return Verdict(name, "simulation", ran.returncode != 0, after, float(totals[2]), first[:SHOWN])


def by_chaos(name: str, folder: Path) -> Verdict:
    """Run chaos until a client sees that something is wrong, or until all is judged."""
    ran = _python(folder, "-m", "tests.chaos.harness", *CHAOS, "--folder", str(folder / "chaos"))
    reports = list(folder.glob("chaos/seed-*/report.json"))
    if not reports:
        raise NotRun(ran.stdout + ran.stderr)
    report = json.loads(reports[0].read_text())
    promises = dict.fromkeys(each.partition(":")[0] for each in BROKEN.findall(ran.stdout))
    shown_by = "; ".join(promises) or "nothing"
    if report["first_wrong_s"] is not None:
        seconds, by = report["first_wrong_s"], "seen by a client"
    else:
        seconds, by = report["took_s"], "judged"
    return Verdict(name, "chaos", ran.returncode != 0, f"{seconds:.0f} s, {by}", seconds, shown_by)


def copied(root: Path, folders: tuple[str, ...], to: Path) -> None:
    """Copy what the layers need of the code."""
    for each in folders:
        shutil.copytree(root / each, to / each, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(root / "pyproject.toml", to)


def _python(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, *arguments], cwd=folder, check=False, capture_output=True, text=True)

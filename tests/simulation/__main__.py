"""Runs many seeds, or one with its whole trace: `python -m tests.simulation --seeds 100000`, `--seed 42`."""

import argparse
import gc
import random
import sys
import time

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tests.simulation.run import Report, run_seed

FIRST_SEEDS = 1 << 31
# A run leaves cycles behind; to look for them now and then is enough.
COLLECT_EVERY = 100


def main() -> None:
    """Run what the arguments say; exit with 1 when a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000, help="how many seeds to run")
    parser.add_argument("--seed", type=int, help="run this one alone, and print its trace")
    parser.add_argument("--base", type=int, help="the first seed; a random one when left out")
    parser.add_argument("--seconds", type=float, help="stop after so long, however many seeds that were")
    given = parser.parse_args()
    if given.seeds < 1:
        parser.error("--seeds has to be 1 or more: of none nothing is shown")
    if given.seed is not None:
        sys.exit(_run_one(given.seed))
    sys.exit(_run_many(given.base, given.seeds, given.seconds))


def _run_one(seed: int) -> int:
    report = run_seed(seed)
    print("\n".join(report.trace))
    print(f"digest {report.digest}")
    print(report.told() if report.found else f"seed {seed}: no violation")
    return bool(report.found)


def _run_many(base: int | None, seeds: int, seconds: float | None) -> int:
    base = random.SystemRandom().randrange(FIRST_SEEDS) if base is None else base
    console = Console(stderr=True)
    console.print(f"seeds {base} to {base + seeds - 1}")
    began, began_cpu, reports, failure = time.monotonic(), time.process_time(), _Totals(), None
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    gc.disable()
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("simulating", total=seeds)
        for seed in range(base, base + seeds):
            report = run_seed(seed)
            reports.add(report)
            progress.advance(task)
            if reports.seeds % COLLECT_EVERY == 0:
                gc.collect()
            if report.found:
                failure = report
                break
            if seconds is not None and time.monotonic() - began > seconds:
                break
    print(reports.told(time.monotonic() - began, time.process_time() - began_cpu))
    if failure is not None:
        print(failure.told())
    return failure is not None


class _Totals:
    """What the runs add up to."""

    def __init__(self) -> None:
        self.seeds = self.commands = self.events = self.calls = self.strikes = 0
        self.virtual_s = 0.0

    def add(self, report: Report) -> None:
        self.seeds += 1
        self.commands += report.commands
        self.events += report.events
        self.calls += report.calls
        self.strikes += report.strikes
        self.virtual_s += report.virtual_s

    def told(self, took_s: float, cpu_s: float) -> str:
        return (
            f"{self.seeds} seeds in {took_s:.1f} s ({60 * self.seeds / cpu_s:.0f} a minute of one core's work): "
            f"{self.commands} commands, {self.events} events, {self.calls} calls, {self.strikes} deaths and strikes, "
            f"{self.virtual_s / 3600:.1f} hours of virtual time"
        )


main()

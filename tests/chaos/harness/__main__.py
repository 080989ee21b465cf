"""Runs chaos: `python -m tests.chaos.harness --seconds 60 --seed 7`; exits with 1 when a promise was broken."""

import argparse
import asyncio
import logging
import shutil
import sys
from pathlib import Path
from random import SystemRandom

import uvloop

from services.kit.logs import configure_logs
from tests.chaos.harness.report import Progress
from tests.chaos.harness.run import run

BROKEN = 1


def main() -> int:
    """Run as the arguments say, print and write the report, and keep the logs when a promise was broken."""
    asked = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    asked.add_argument("--seconds", type=float, default=60.0, help="how long things are broken")
    asked.add_argument("--seed", type=int, help="which faults, in which order; one is chosen when left out")
    asked.add_argument("--folder", type=Path, default=Path("build/chaos"), help="for data, logs and the report")
    asked.add_argument("--until-wrong", action="store_true", help="break nothing more once a client sees a wrong")
    given = asked.parse_args()
    if given.seconds <= 0:
        asked.error("--seconds has to be more than 0: in no time nothing is shown")
    seed = given.seed if given.seed is not None else SystemRandom().randrange(1_000_000)
    folder = given.folder.absolute() / f"seed-{seed}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    print(f"chaos: seed {seed}, {given.seconds:g} s, in {folder}", flush=True)
    configure_logs("console", "chaos")
    for library in ("httpx", "aiokafka", "asyncio"):  # what they complain of is what is meant to happen
        logging.getLogger(library).setLevel(logging.CRITICAL)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        report = runner.run(run(seed, given.seconds, folder, Progress(), until_wrong=given.until_wrong))
    report.write(folder / "report.json")
    print(report.text())
    if report.violations:
        print(
            f"Everything is kept in {folder}; the same faults again: make chaos SEED={seed} SECONDS={given.seconds:g}"
        )
        return BROKEN
    for name in ("kafka", "postgres"):
        shutil.rmtree(folder / name, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

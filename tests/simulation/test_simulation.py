"""Seeds in every run of the tests: a few hundred new ones, and what makes them worth something."""

import os
import random
import subprocess
import sys
import time

import pytest

from tests.simulation.run import run_seed

SECONDS = 12.0
BASE = random.SystemRandom().randrange(1 << 31)


def test_no_promise_is_broken_whatever_fails_and_whenever() -> None:
    """The seeds of one run of the tests are new ones: a failure names its own."""
    print(f"seeds from {BASE}")
    until, seed = time.monotonic() + SECONDS, BASE
    while time.monotonic() < until:
        report = run_seed(seed)
        if report.found:
            pytest.fail(report.told())
        seed += 1


def test_a_seed_is_one_run_byte_for_byte_in_every_process() -> None:
    told = [_trace_of(seed=77, hash_seed=each) for each in ("1", "2")]
    assert told[0] == told[1]
    assert "no violation" in told[0]


def test_two_seeds_are_two_runs() -> None:
    assert run_seed(1).digest != run_seed(2).digest


def test_a_run_has_work_trouble_and_an_end() -> None:
    reports = [run_seed(seed) for seed in range(40)]
    assert all(report.commands for report in reports)
    assert sum(report.events for report in reports) > 40 * 10
    assert sum(report.strikes for report in reports) > 40


def _trace_of(seed: int, hash_seed: str) -> str:
    ran = subprocess.run(
        [sys.executable, "-m", "tests.simulation", "--seed", str(seed)],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return ran.stdout

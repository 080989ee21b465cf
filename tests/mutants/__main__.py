"""Applies each patch to a copy of the code and has a layer catch it: `python -m tests.mutants [NAME …]`.

One of the rules is for the sequences of commands: the simulation replays with the same rules. What only clients can see
is for chaos on the real stack. All others are simulated.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
PATCHES = Path(__file__).parent
FOLDERS = ("events", "services", "pipeloom", "schemas", "tests")
RULES = "a/services/composer/decider/"
SEQUENCES = "tests/unit/composer/test_any_sequence.py"
SEEDS = 3_000
FOR_CHAOS = {
    "a-list-without-its-environment",
    "poison-is-skipped",
    "success-on-a-timeout",
}
CHAOS = ("--seconds", "60", "--seed", "2")
BROKEN = re.compile(r"^  BROKEN  (.+)", re.MULTILINE)
RAN = re.compile(r"^(\d+) seeds in ([0-9.]+) s", re.MULTILINE)


def main() -> None:
    """Have each mutant caught; exit with 1 when one survives."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("names", nargs="*", help="patches without their ending; all when left out")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="how many seeds one has to survive")
    given = parser.parse_args()
    names = given.names or sorted(patch.stem for patch in PATCHES.glob("*.patch"))
    survivors = [name for name in names if not caught(name, given.seeds)]
    if survivors:
        sys.exit(f"not caught: {', '.join(survivors)}")


def caught(name: str, seeds: int) -> bool:
    """Tell whether a mutant is caught; print by what, and how soon."""
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        for each in FOLDERS:
            shutil.copytree(ROOT / each, scratch / each, ignore=shutil.ignore_patterns("__pycache__"))
        fitted = subprocess.run(
            ["git", "apply", "-C1", PATCHES / f"{name}.patch"], cwd=scratch, check=False, capture_output=True, text=True
        )
        if fitted.returncode:
            sys.exit(f"{name}: the patch fits the code no more; write it anew\n{fitted.stderr}")
        if RULES in (PATCHES / f"{name}.patch").read_text():
            return _by_sequences(name, scratch)
        if name in FOR_CHAOS:
            return _by_chaos(name, scratch)
        return _by_simulation(name, scratch, seeds)


def _by_sequences(name: str, scratch: Path) -> bool:
    shutil.copy(ROOT / "pyproject.toml", scratch)
    sequences = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", SEQUENCES]
    ran = subprocess.run(sequences, cwd=scratch, check=False, capture_output=True, text=True)
    print(f"{name}: sequences of commands: {ran.stdout.splitlines()[-1]}", flush=True)
    return "1 failed" in ran.stdout


def _by_chaos(name: str, scratch: Path) -> bool:
    harness = [sys.executable, "-m", "tests.chaos.harness", *CHAOS, "--folder", str(scratch / "chaos")]
    ran = subprocess.run(harness, cwd=scratch, check=False, capture_output=True, text=True)
    first = BROKEN.search(ran.stdout)
    if first is None and ran.returncode:
        sys.exit(f"{name}: it did not run at all\n{ran.stdout}{ran.stderr}")
    print(f"{name}: chaos: {first[1][:160] if first else 'nothing'}", flush=True)
    return ran.returncode != 0


def _by_simulation(name: str, scratch: Path, seeds: int) -> bool:
    simulate = [sys.executable, "-m", "tests.simulation", "--base", "1", "--seeds", str(seeds)]
    ran = subprocess.run(simulate, cwd=scratch, check=False, capture_output=True, text=True)
    totals = RAN.search(ran.stdout)
    if totals is None:
        sys.exit(f"{name}: it did not run at all\n{ran.stderr}")
    first = next((line.strip() for line in ran.stdout.splitlines() if line.startswith("  ")), "nothing")
    print(f"{name}: {totals[1]} seeds, {totals[2]} s: {first[:160]}", flush=True)
    return ran.returncode != 0


if __name__ == "__main__":
    main()

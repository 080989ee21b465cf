"""Applies each patch to a copy of the code and has a layer catch it: `python -m tests.mutants [NAME …]`.

One of the rules is for the sequences of commands: the simulation replays with the same rules. What only clients can see
is for chaos on the real stack. All others are simulated. The table at the end is written to build/mutants.json too.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from tests.mutants.layers import NotRun, Verdict, by_chaos, by_sequences, by_simulation, copied

ROOT = Path(__file__).parents[2]
PATCHES = Path(__file__).parent
TABLE = Path("build/mutants.json")
FOLDERS = ("events", "services", "pipeloom", "schemas", "tests")
RULES = "a/services/composer/decider/"
SEEDS = 3_000
FOR_CHAOS = {
    "a-list-without-its-environment",
    "acknowledged-before-kafka",
    "poison-is-skipped",
    "success-on-a-timeout",
}


def main() -> None:
    """Have each mutant caught; exit with 1 when one survives."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("names", nargs="*", help="patches without their ending; all when left out")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="how many seeds one has to survive")
    given = parser.parse_args()
    known = sorted(patch.stem for patch in PATCHES.glob("*.patch"))
    unknown = set(given.names) - set(known)
    if unknown:
        parser.error(f"there is no mutant {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    verdicts = []
    for name in given.names or known:
        verdict = _verdict(name, given.seeds)
        verdicts.append(verdict)
        print(f"{name}: {verdict.layer}, {verdict.after}: {verdict.shown_by}", flush=True)
    TABLE.parent.mkdir(parents=True, exist_ok=True)
    TABLE.write_text(json.dumps([asdict(each) for each in verdicts], indent=2) + "\n")
    print(_table(verdicts))
    survivors = [each.mutant for each in verdicts if not each.is_caught]
    if survivors:
        sys.exit(f"not caught: {', '.join(survivors)}")


def _verdict(name: str, seeds: int) -> Verdict:
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        copied(ROOT, FOLDERS, scratch)
        _apply(name, scratch)
        try:
            if RULES in (PATCHES / f"{name}.patch").read_text():
                return by_sequences(name, scratch)
            if name in FOR_CHAOS:
                return by_chaos(name, scratch)
            return by_simulation(name, scratch, seeds)
        except NotRun as reason:
            sys.exit(f"{name}: it did not run at all\n{reason}")


def _apply(name: str, scratch: Path) -> None:
    patch = ["git", "apply", "-C1", str(PATCHES / f"{name}.patch")]
    fitted = subprocess.run(patch, cwd=scratch, check=False, capture_output=True, text=True)
    if fitted.returncode:
        sys.exit(f"{name}: the patch fits the code no more; write it anew\n{fitted.stderr}")


def _table(verdicts: Sequence[Verdict]) -> str:
    """Return the table of all, with survivors in capitals."""
    rows = [("mutant", "caught by", "after")]
    rows += [(each.mutant, each.layer if each.is_caught else "NOBODY", each.after) for each in verdicts]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    caught = sum(each.is_caught for each in verdicts)
    return "\n".join(["", *lines, "", f"{caught} of {len(verdicts)} caught; {TABLE}"])


if __name__ == "__main__":
    main()

"""What CI runs."""

import os
from pathlib import Path


def test_ci_lints_first_and_tests_last_so_that_the_summary_closes_the_output(root: Path) -> None:
    script = root / ".ci" / "run"
    commands = [line for line in script.read_text().splitlines() if line and not line.startswith("#")]
    assert os.access(script, os.X_OK)
    assert commands[0] == "set -euo pipefail"
    assert commands[-2:] == ["make lint", "make test"]

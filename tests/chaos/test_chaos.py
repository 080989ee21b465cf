"""A minute of chaos: what `make chaos` does, with a new seed each time."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

SECONDS = os.environ.get("PIPELOOM_TEST_CHAOS_SECONDS") or "60"
SEED = os.environ.get("PIPELOOM_TEST_CHAOS_SEED")
# To start, to mend, to settle and to judge, beside the time in which things are broken.
AROUND_S = 400.0


def told(folder: Path) -> dict[str, Any]:
    """Return the report of the one run in `folder`."""
    (file,) = folder.glob("seed-*/report.json")
    return dict(json.loads(file.read_text()))


@pytest.mark.timeout(float(SECONDS) + AROUND_S + 30)
async def test_whatever_dies_and_hangs_no_promise_is_broken(tmp_path: Path) -> None:
    arguments = ["--seconds", SECONDS, "--folder", str(tmp_path), *(["--seed", SEED] if SEED else [])]

    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.chaos.harness", *arguments, stdout=asyncio.subprocess.PIPE, stderr=None
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), float(SECONDS) + AROUND_S)
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()

    assert process.returncode == 0, output.decode()
    report = told(tmp_path)
    assert report["violations"] == 0
    assert report["acknowledged"] > 0
    assert sum(report["faults"].values()) > 0

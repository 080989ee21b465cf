"""`pipeloom demo` as a user runs it, in a terminal that has seen things."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from pipeloom.local.environment import Addresses, client_environment
from pipeloom.local.ports import HOST, pick_port

Until = Callable[..., Awaitable[None]]

PROGRAM = "import typer; from pipeloom.cli.demo import demo; typer.run(demo)"


@pytest.fixture
def terminal(tmp_path: Path) -> dict[str, str]:
    """A terminal with the env file of a stack that is gone, a proxy, and settings for another Postgres."""
    gone = Addresses(pick_port(), f"{HOST}:{pick_port()}", f"postgresql://pipeloom:x@{HOST}:{pick_port()}/pipeloom")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIPELOOM_", "PG"))}
    proxy = f"http://{HOST}:{pick_port()}"
    return {
        **kept,
        **client_environment(gone, "token"),
        **dict.fromkeys(("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"), proxy),
        **dict.fromkeys(("NO_PROXY", "no_proxy"), ""),
        "PGSSLMODE": "verify-full",
        "PGOPTIONS": "-c no_such_setting=1",
        "PGTARGETSESSIONATTRS": "read-only",
        "TMPDIR": str(tmp_path),
    }


def names_in(folder: Path) -> list[str]:
    return [each.name for each in folder.iterdir()]


def run_demo(folder: Path, terminal: dict[str, str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-P", "-c", PROGRAM],
        cwd=folder,
        env=terminal,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


async def test_the_demo_holds_whatever_the_terminal_and_the_folder_are(
    tmp_path: Path, terminal: dict[str, str]
) -> None:
    theirs = tmp_path / "theirs"
    (theirs / "services").mkdir(parents=True)
    (theirs / "services" / "__init__.py").write_text("raise SystemExit('this is not for you')")

    ended = run_demo(theirs, terminal)
    output, errors = await asyncio.to_thread(ended.communicate, timeout=90)

    assert (ended.returncode, errors) == (0, ""), output
    assert "All of it held" in output
    assert names_in(tmp_path) == ["theirs"], "nothing of the demo stays"
    assert names_in(theirs) == ["services"]


async def test_a_demo_that_is_stopped_ends_with_the_number_of_the_signal(
    tmp_path: Path, terminal: dict[str, str], until: Until
) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    demo = run_demo(theirs, terminal)
    await until(lambda: list(tmp_path.glob("pipeloom-demo-*/lock")))

    demo.send_signal(signal.SIGINT)
    output, errors = await asyncio.to_thread(demo.communicate, timeout=30)

    assert (demo.returncode, errors) == (128 + signal.SIGINT, ""), output
    assert names_in(tmp_path) == ["theirs"]


async def test_a_demo_that_cannot_start_ends_with_1_and_the_reason(tmp_path: Path, terminal: dict[str, str]) -> None:
    ended = run_demo(tmp_path, {**terminal, "PIPELOOM_KAFKA__PARTITIONS": "many"})
    output, errors = await asyncio.to_thread(ended.communicate, timeout=30)

    assert (ended.returncode, errors) == (1, "")
    assert output.startswith("The demo cannot go on: the settings cannot be used: PIPELOOM_KAFKA__PARTITIONS: ")
    assert names_in(tmp_path) == []

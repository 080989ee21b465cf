"""Processes to look at, and a folder with stand-ins for the services."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

import services

HERE = Path(__file__).parent
ONLOOKERS = ("monitor",)
ROLES = ("init", "admin", "composer", "relay", "builder", "webhooks", "gateway")


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def alive() -> Callable[[int], bool]:
    """Tell whether a process runs."""
    return is_alive


@pytest.fixture
def family() -> Callable[[int], list[int]]:
    """Return the ids of a process and of all that descend from it."""

    def members(pid: int) -> list[int]:
        return [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]

    return members


@pytest.fixture
def until() -> Callable[..., Any]:
    """Wait for a condition."""

    async def wait(condition: Callable[[], object], within: float = 15.0) -> None:
        async with asyncio.timeout(within):
            while not condition():  # noqa: ASYNC110 - the condition is about other processes
                await asyncio.sleep(0.02)

    return wait


class FakeProject:
    """A folder whose `services.NAME` are stand-ins that note what they were given; it is on the path, and worked in."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.notes = root / "notes"
        self.data_dir = root / ".pipeloom"
        self.notes.mkdir()
        (root / "services").mkdir()
        (root / "services" / "__init__.py").write_text(f"__path__ += {list(services.__path__)}\n")
        for role in (*ROLES, *ONLOOKERS):
            shutil.copy(HERE / "fake_service.py", root / "services" / f"{role}.py")

    def note(self, role: str) -> dict[str, Any]:
        """Return what a role last noted."""
        return dict(json.loads((self.notes / f"{role}.json").read_text()))

    def noted(self, role: str) -> bool:
        """Tell whether a role has run."""
        return (self.notes / f"{role}.json").exists()

    def pids(self) -> list[int]:
        """Return the process ids of the roles that stay."""
        return [self.note(role)["pid"] for role in ROLES[2:]]

    def up(self, *options: str) -> "subprocess.Popen[str]":
        """Run `pipeloom up` here."""
        program = "import typer; from pipeloom.cli.up import up; typer.run(up)"
        return subprocess.Popen(
            [sys.executable, "-W", "error", "-c", program, *options],
            cwd=self.root,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=dict(os.environ),
        )


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeProject:
    fake = FakeProject(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FAKE_NOTES", str(fake.notes))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    for name in [name for name in os.environ if name.startswith("PIPELOOM_") and name != "PIPELOOM_CACHE_DIR"]:
        monkeypatch.delenv(name)
    return fake


@pytest.fixture
def servers_elsewhere(project: FakeProject, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings of the project that name a Kafka and a Postgres, which the stand-ins do not need."""
    monkeypatch.setenv("PIPELOOM_KAFKA__BOOTSTRAP_SERVERS", "kafka.example:9092")
    monkeypatch.setenv("PIPELOOM_POSTGRES__DSN", "postgresql://user:secret@postgres.example/db")

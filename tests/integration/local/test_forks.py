"""Programs that are forked: their exit codes, their environment, and their end with the fork server."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing is forked")

PROLOGUE = """
import asyncio, os, signal, sys
from pathlib import Path
from pipeloom.local.forks import forking
from pipeloom.local.process import Command, ManagedProcess, output_of

def command(tmp, name, forks, **env):
    return Command(name, [sys.executable, "-m", f"services.{name}"], tmp / f"{name}.log", env=env, forks=forks)

tmp = Path(sys.argv[1])
with forking(["json"]) as forks:
"""


def run(tmp_path: Path, body: str) -> "subprocess.CompletedProcess[str]":
    """Run the body of an async function in an interpreter that has a fork server."""
    lines = "".join(f"        {line}\n" for line in body.strip().splitlines())
    script = f"{PROLOGUE}    async def main():\n{lines}    asyncio.run(main())\n"
    env = {name: value for name, value in os.environ.items() if not name.startswith("PIPELOOM_")}
    return subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, timeout=60, env=env, check=False
    )


def test_a_forked_program_ends_with_its_code_and_its_reason_in_its_log(tmp_path: Path) -> None:
    body = """
init = await ManagedProcess.spawn(command(tmp, "init", forks, PIPELOOM_KAFKA__PARTITIONS="many"))
print(await init.wait(), os.getppid() != init.pid)
"""
    ended = run(tmp_path, body)

    assert ended.stdout.split() == ["1", "True"], ended.stderr
    assert "pipeloom init: " in (tmp_path / "init.log").read_text()


def test_a_forked_program_has_its_own_group_command_line_and_environment(tmp_path: Path) -> None:
    body = """
relay = await ManagedProcess.spawn(command(tmp, "relay", forks, PIPELOOM_KAFKA__BOOTSTRAP_SERVERS="127.0.0.1:9"))
async with asyncio.timeout(20):
    while b"services.relay" not in Path(f"/proc/{relay.pid}/cmdline").read_bytes().split(b"\\0"):
        await asyncio.sleep(0.01)
print(os.getpgid(relay.pid) == relay.pid)
os.kill(relay.pid, signal.SIGKILL)
print(await relay.wait())
"""
    ended = run(tmp_path, body)

    assert ended.stdout.split() == ["True", str(-signal.SIGKILL)], ended.stderr


def test_what_was_forked_ends_with_the_fork_server_and_the_next_program_starts_without_it(tmp_path: Path) -> None:
    body = """
relay = await ManagedProcess.spawn(command(tmp, "relay", forks, PIPELOOM_KAFKA__BOOTSTRAP_SERVERS="127.0.0.1:9"))
server = int(Path(f"/proc/{relay.pid}/stat").read_text().rpartition(")")[2].split()[1])
os.kill(server, signal.SIGKILL)
print(await relay.wait())
init = await ManagedProcess.spawn(command(tmp, "init", forks, PIPELOOM_KAFKA__PARTITIONS="many"))
print(await init.wait())
"""
    ended = run(tmp_path, body)

    assert ended.stdout.split() == [str(-signal.SIGKILL), "1"], ended.stderr

"""`pipeloom up` as a user runs it: signals, exit codes, and nothing left behind."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from pipeloom.local.ports import pick_port

Alive = Callable[[int], bool]
Family = Callable[[int], list[int]]
Until = Callable[..., Awaitable[None]]


async def finished(up: "subprocess.Popen[str]", within: float = 15.0) -> tuple[str, str]:
    return await asyncio.to_thread(up.communicate, timeout=within)


@pytest.mark.usefixtures("servers_elsewhere")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
async def test_one_signal_stops_all_in_order_and_ends_with_0(
    number: signal.Signals, project: Any, until: Until, alive: Alive
) -> None:
    up = project.up("--http-port", str(pick_port()))
    await until((project.data_dir / "env").exists)

    up.send_signal(number)
    output, errors = await finished(up)

    assert (up.returncode, errors) == (0, "")
    assert "Pipeloom is ready" in output
    assert "kafka.example:9092 (configured by PIPELOOM_KAFKA__BOOTSTRAP_SERVERS)" in output
    assert "postgres.example/db (configured by PIPELOOM_POSTGRES__DSN)" in output
    assert "secret" not in output
    assert "\x1b" not in output
    assert output.splitlines()[-1].split() == ["up", "stopped"]
    assert not [pid for pid in project.pids() if alive(pid)]
    assert not (project.data_dir / "env").exists()


@pytest.mark.usefixtures("servers_elsewhere")
async def test_a_signal_during_the_start_stops_it(
    project: Any, until: Until, alive: Alive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_MISBEHAVE", "gateway:never-ready")
    up = project.up("--http-port", str(pick_port()))
    await until(lambda: all(map(project.noted, ("composer", "relay", "builder", "gateway"))))

    up.send_signal(signal.SIGINT)
    output, errors = await finished(up)

    assert (up.returncode, errors) == (0, "")
    assert "Pipeloom is ready" not in output
    assert not [pid for pid in project.pids() if alive(pid)]


@pytest.mark.usefixtures("servers_elsewhere")
async def test_a_second_signal_kills_everything_at_once(
    project: Any, until: Until, alive: Alive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_MISBEHAVE", "gateway:ignores-sigterm")
    up = project.up("--http-port", str(pick_port()))
    await until((project.data_dir / "env").exists)

    up.send_signal(signal.SIGINT)
    await until(lambda: not (project.data_dir / "env").exists())
    up.send_signal(signal.SIGINT)
    await finished(up, within=2)

    assert up.returncode == 128 + signal.SIGINT
    await until(lambda: not [pid for pid in project.pids() if alive(pid)])


@pytest.mark.usefixtures("servers_elsewhere")
async def test_a_failed_start_ends_with_1_and_the_reason(project: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_MISBEHAVE", "init:fails")
    up = project.up("--http-port", str(pick_port()))

    _, errors = await finished(up)

    assert up.returncode == 1
    assert errors.startswith("pipeloom up: init failed with code 1.")
    assert "init fails as it was told" in errors
    assert "Traceback" not in errors


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's death")
async def test_a_killed_up_leaves_no_process_and_its_folder_can_be_used_at_once(
    project: Any, until: Until, alive: Alive, family: Family
) -> None:
    first = project.up("--http-port", str(pick_port()))
    await until((project.data_dir / "env").exists, 60)
    members = family(first.pid)
    assert len(members) > 6

    os.kill(first.pid, signal.SIGKILL)
    await finished(first)
    (project.data_dir / "env").unlink()
    second = project.up("--http-port", str(pick_port()))
    await until((project.data_dir / "env").exists, 60)

    assert not [pid for pid in members if alive(pid)]
    second.send_signal(signal.SIGTERM)
    await finished(second)
    assert second.returncode == 0

"""The stack in this process: the order of a start, the files it leaves, restarts, refusals."""

import asyncio
import json
import os
import signal
import socket
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from pipeloom.local.environment import KAFKA_SETTING, POSTGRES_SETTING
from pipeloom.local.errors import DataDirInUseError, EndedEarlyError, PortTakenError
from pipeloom.local.ports import HOST, pick_port
from pipeloom.local.stack import LocalStack

Alive = Callable[[int], bool]
Until = Callable[..., Awaitable[None]]


class Notes:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, part: str, message: str) -> None:
        self.lines.append(f"{part}: {message}")

    def advance(self, part: str, done: int, total: int) -> None:
        self.lines.append(f"{part}: {done} of {total}")


@pytest.fixture
def notes() -> Notes:
    return Notes()


@pytest.fixture
def stack(project: Any, servers_elsewhere: None, notes: Notes) -> LocalStack:
    """A stack of stand-ins on servers elsewhere, not started yet."""
    return LocalStack(project.data_dir, http_port=pick_port(), report=notes)


def variables(file: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in file.read_text().splitlines())


async def test_the_env_file_is_there_while_the_stack_is_ready(stack: LocalStack, project: Any) -> None:
    await stack.start()

    env = variables(project.data_dir / "env")
    assert env["PIPELOOM_URL"] == env["CRAFT_AI_ENVIRONMENT_URL"] == env["CRAFT_AI_CONTROL_URL"] == stack.addresses.url
    assert env["CRAFT_AI_SDK_TOKEN"].startswith("token-")
    assert env[KAFKA_SETTING] == "kafka.example:9092"
    assert env[POSTGRES_SETTING] == "postgresql://user:secret@postgres.example/db"
    assert stat.S_IMODE(stack.env_file.stat().st_mode) == 0o600

    await stack.stop()
    assert not stack.env_file.exists()


async def test_services_get_their_settings(stack: LocalStack, project: Any) -> None:
    await stack.start()
    await stack.stop()

    gateway, relay = project.note("gateway")["settings"], project.note("relay")["settings"]
    assert gateway["PIPELOOM_HTTP__PORT"] == stack.addresses.url.rpartition(":")[2]
    assert "PIPELOOM_HTTP__PORT" not in relay
    assert gateway["PIPELOOM_HEALTH__PORT"] != relay["PIPELOOM_HEALTH__PORT"]
    assert relay["PIPELOOM_AUTH__SIGNING_KEY_FILE"] == str(project.data_dir / "signing-key.pem")
    assert json.loads(relay["PIPELOOM_BUILDER__SOURCE_ROOTS"]) == [str(project.root), str(project.data_dir)]
    assert relay["PIPELOOM_BUILDER__WORK_DIR"] == str(project.data_dir / "builder")
    assert project.note("init")["settings"][POSTGRES_SETTING] == "postgresql://user:secret@postgres.example/db"
    assert project.note("admin")["argv"] == ["bootstrap", "--environment", "demo", "--user", "demo"]


async def test_the_token_is_minted_once_for_each_database(
    stack: LocalStack, project: Any, notes: Notes, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def token_of_a_run() -> str:
        another = LocalStack(project.data_dir, http_port=pick_port(), report=notes)
        await another.start()
        token = variables(another.env_file)["CRAFT_AI_SDK_TOKEN"]
        await another.stop()
        return token

    first = await token_of_a_run()
    assert await token_of_a_run() == first
    assert [stat.S_IMODE(file.stat().st_mode) for file in project.data_dir.glob("sdk-token*")] == [0o600]

    monkeypatch.setenv(POSTGRES_SETTING, "postgresql://another.example/db")
    assert await token_of_a_run() != first
    assert first not in "".join(file.read_text() for file in (project.data_dir / "logs").iterdir())


async def test_a_killed_service_is_started_again(stack: LocalStack, project: Any, notes: Notes, until: Until) -> None:
    await stack.start()
    killed = project.note("relay")["pid"]

    os.kill(killed, signal.SIGKILL)
    await until(lambda: notes.lines[-1] == "relay: ready" and project.note("relay")["pid"] != killed)

    assert "relay: was ended by SIGKILL; starting again in 0.2 s" in notes.lines
    await stack.stop()


async def test_a_stop_leaves_no_process_even_of_a_service_that_will_not_end(
    stack: LocalStack, project: Any, alive: Alive, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_MISBEHAVE", "composer:ignores-sigterm builder:has-a-helper")
    await stack.start()

    await asyncio.wait_for(stack.stop(), 15)

    assert not [pid for pid in project.pids() if alive(pid)]
    await until(lambda: not alive(project.note("builder")["helper"]))


async def test_a_second_stack_on_the_same_folder_is_refused_and_the_first_goes_on(
    stack: LocalStack, project: Any, notes: Notes, alive: Alive
) -> None:
    await stack.start()

    with pytest.raises(DataDirInUseError, match=r"--data-dir"):
        await LocalStack(project.data_dir, http_port=pick_port(), report=notes).start()

    assert all(alive(pid) for pid in project.pids())
    assert stack.env_file.exists()
    await stack.stop()


@pytest.mark.usefixtures("servers_elsewhere")
async def test_a_taken_http_port_is_refused_before_anything_starts(project: Any, notes: Notes) -> None:
    with socket.create_server((HOST, pick_port())) as other:
        port = other.getsockname()[1]

        with pytest.raises(PortTakenError, match=rf"Port {port} .*--http-port"):
            await LocalStack(project.data_dir, http_port=port, report=notes).start()

    assert notes.lines == []
    assert not project.noted("init")


@pytest.mark.parametrize("role", ["init", "admin", "gateway"])
async def test_a_part_that_fails_at_the_start_ends_the_stack_with_its_own_words(
    role: str, stack: LocalStack, project: Any, alive: Alive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_MISBEHAVE", f"{role}:fails")

    with pytest.raises(EndedEarlyError, match=f"{role} fails as it was told"):
        await stack.start()

    started = [name for name in ("composer", "relay", "builder") if project.noted(name)]
    assert not [name for name in started if alive(project.note(name)["pid"])]
    assert not stack.env_file.exists()


async def test_a_cancelled_start_leaves_no_process(
    stack: LocalStack, project: Any, alive: Alive, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_MISBEHAVE", "gateway:never-ready")
    starting = asyncio.create_task(stack.start())
    await until(lambda: all(map(project.noted, ("composer", "relay", "builder", "gateway"))))

    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting

    assert not [pid for pid in project.pids() if alive(pid)]


async def test_the_stacks_own_servers_come_back_where_they_were(
    project: Any, notes: Notes, until: Until, alive: Alive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeloom.local.stack.make_archive", lambda log_file: asyncio.sleep(0))
    stack = LocalStack(project.data_dir, http_port=pick_port(), report=notes)
    await stack.start()
    addresses = stack.addresses
    assert project.note("init")["settings"][KAFKA_SETTING] == addresses.kafka
    servers = stack._servers()

    for server in servers:
        os.kill(server.pid, signal.SIGKILL)  # type: ignore[attr-defined]
    for name in ("kafka", "postgres"):
        await until(lambda name=name: sum(line.startswith(f"{name}: ready on") for line in notes.lines) == 2)

    assert stack.addresses == addresses
    await asyncio.wait_for(stack.stop(), 15)
    assert not [server for server in servers if alive(server.pid)]  # type: ignore[attr-defined]

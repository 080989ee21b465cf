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
from pipeloom.local.errors import DataDirInUseError, EndedEarlyError, PortTakenError, StartError
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


@pytest.mark.parametrize("content", [b"", b"junk", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
async def test_a_corrupt_signing_key_is_refused_with_what_to_do_before_anything_starts(
    stack: LocalStack, project: Any, content: bytes
) -> None:
    project.data_dir.mkdir(parents=True, exist_ok=True)
    file = project.data_dir / "signing-key.pem"
    file.write_bytes(content)

    with pytest.raises(StartError, match=f"{file} holds no usable key: move that file away"):
        await stack.start()

    assert list(project.notes.iterdir()) == []


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


async def test_a_token_that_is_no_longer_taken_is_replaced_and_said_so(
    project: Any, servers_elsewhere: None, notes: Notes, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def token_of_a_run() -> str:
        stack = LocalStack(project.data_dir, http_port=pick_port(), report=notes)
        await stack.start()
        token = variables(stack.env_file)["CRAFT_AI_SDK_TOKEN"]
        await stack.stop()
        return token

    revoked = await token_of_a_run()
    monkeypatch.setenv("FAKE_MISBEHAVE", "gateway:forgets-tokens")

    assert await token_of_a_run() != revoked
    assert any("is unknown or revoked; making a new one" in line for line in notes.lines)
    for file in project.data_dir.glob("sdk-token*"):
        file.write_bytes(b"\xff junk\n")
    assert (await token_of_a_run()).startswith("token-")


async def test_code_of_the_user_in_the_folder_is_not_taken_for_ours(
    stack: LocalStack, project: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = project.root / "theirs"
    for package in ("services", "events", "logging"):
        (theirs / package).mkdir(parents=True)
        (theirs / package / "__init__.py").write_text("raise SystemExit('this is not for you')")
    monkeypatch.chdir(theirs)

    await stack.start()

    await stack.stop()
    assert project.note("builder")["settings"]["PYTHONSAFEPATH"] == "1"


async def test_a_part_that_is_not_ready_is_told_with_its_reasons(
    stack: LocalStack, notes: Notes, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeloom.local.waiting._PATIENCE", 0.05)
    monkeypatch.setenv("FAKE_MISBEHAVE", "relay:not-ready")
    starting = asyncio.create_task(stack.start())

    await until(lambda: any("relay: not ready after" in line and "it is a stand-in" in line for line in notes.lines))

    starting.cancel()
    await asyncio.gather(starting, return_exceptions=True)
    assert not any("kafka: ok" in line for line in notes.lines)


async def test_a_part_that_is_never_ready_ends_the_start_with_its_reasons(
    stack: LocalStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeloom.local.service._READY_TIMEOUT", 2.0)
    monkeypatch.setenv("FAKE_MISBEHAVE", "relay:not-ready")

    with pytest.raises(StartError, match="relay was not ready after 2 s: postgres: it is a stand-in"):
        await stack.start()


async def test_a_file_in_the_way_of_the_start_is_named_with_what_to_do(stack: LocalStack, project: Any) -> None:
    project.data_dir.mkdir()
    (project.data_dir / "logs").touch()

    with pytest.raises(StartError, match=r"/\.pipeloom/logs.*--data-dir"):
        await stack.start()


async def test_a_health_page_elsewhere_is_asked_for_here(
    stack: LocalStack, project: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIPELOOM_HEALTH__HOST", "192.0.2.1")

    await stack.start()

    await stack.stop()
    assert project.note("relay")["settings"]["PIPELOOM_HEALTH__HOST"] == HOST


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
    monkeypatch.setattr("pipeloom.local.stack._STOP_WITHIN", 5.0)
    await stack.start()

    await asyncio.wait_for(stack.stop(), 5)

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

    with pytest.raises(EndedEarlyError, match=f"{role} fails as it was told") as caught:
        await stack.start()

    unset = f"`unset {KAFKA_SETTING} {POSTGRES_SETTING}`"
    assert (unset in str(caught.value)) == (role == "init")
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
    assert notes.lines[:2] == ["kafka: embedded", "postgres: embedded"]
    servers = stack._servers()

    for server in servers:
        os.kill(server.pid, signal.SIGKILL)  # type: ignore[attr-defined]
    for name in ("kafka", "postgres"):
        await until(lambda name=name: sum(line.startswith(f"{name}: ready on") for line in notes.lines) == 2)

    assert stack.addresses == addresses
    await asyncio.wait_for(stack.stop(), 15)
    assert not [server for server in servers if alive(server.pid)]  # type: ignore[attr-defined]

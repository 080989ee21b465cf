"""A whole stack of its own for a test that breaks it."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from pipeloom.demo.source import FUNCTION_NAME, FUNCTION_PATH, INPUTS, make_repository
from pipeloom.local.ports import pick_port
from services.kit.settings import KafkaSettings
from tests.support.services import eventually

ANSWER_S = 60.0


@dataclass(frozen=True)
class Stack:
    """A running `pipeloom up` on embedded servers."""

    process: asyncio.subprocess.Process
    environment: dict[str, str]

    @property
    def kafka(self) -> KafkaSettings:
        return KafkaSettings(bootstrap_servers=self.environment["PIPELOOM_KAFKA__BOOTSTRAP_SERVERS"])

    def pids_of(self, part: str) -> list[int]:
        """Return the pids of a part and of all that it started. Raises LookupError when it is not running."""
        top = psutil.Process(self.pid_of(part))
        return [int(each.pid) for each in (top, *top.children(recursive=True))]

    def pid_of(self, part: str) -> int:
        """Return the pid of the topmost process of a part. Raises LookupError when it is not running."""
        for child in psutil.Process(self.process.pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):  # it ends at this moment, or is a zombie
                if part in " ".join(child.cmdline()):
                    return int(child.pid)
        raise LookupError(f"{part} is not running")


@asynccontextmanager
async def running_stack(data_dir: Path, **settings: str) -> AsyncIterator[Stack]:
    """Run `pipeloom up` inside the block; it must end cleanly and leave no process behind."""
    arguments = ["-m", "pipeloom", "up", "--data-dir", str(data_dir), "--http-port", str(pick_port())]
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("PIPELOOM_")}
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, env={**inherited, **settings})
    try:
        await eventually(lambda: (data_dir / "env").exists() or process.returncode is not None, 120)
        lines = (data_dir / "env").read_text().splitlines()
        yield Stack(process, dict(line.split("=", 1) for line in lines))
        children = psutil.Process(process.pid).children(recursive=True)
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        ended = await asyncio.wait_for(process.wait(), 20)
    assert ended == 0
    assert [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE] == []


@asynccontextmanager
async def signed_in(stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=stack.environment["PIPELOOM_URL"], timeout=ANSWER_S) as client:
        answer = await client.post(
            "/api/v1/auth/refresh", json={"refresh_token": stack.environment["CRAFT_AI_SDK_TOKEN"]}
        )
        client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        yield client


async def make_ready(client: httpx.AsyncClient, source: Path) -> None:
    """Have the builder make the step `s` Ready."""
    make_repository(source)
    step = {
        "step_name": "s",
        "function_path": FUNCTION_PATH,
        "function_name": FUNCTION_NAME,
        "inputs": INPUTS,
        "container_config": {"repository_url": str(source)},
    }
    assert (await client.post("/api/v1/steps", json=step)).status_code == 206
    built = await client.get("/api/v1/steps/s", params={"wait_for_completion": "true"})
    assert built.json()["creation_info"]["status"] == "Ready", built.text


@asynccontextmanager
async def hung(stack: Stack, part: str) -> AsyncIterator[None]:
    """Stop a part inside the block: it keeps its connections and answers nobody."""
    pids = stack.pids_of(part)
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)

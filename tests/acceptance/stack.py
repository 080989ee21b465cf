"""The product as its user runs it: one `pipeloom up`, stopped by one signal."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from pydantic import SecretStr

from pipeloom.local.ports import pick_port
from services.kit.settings import KafkaSettings, PostgresSettings
from tests.support.installation import unique
from tests.support.servers import KAFKA_SETTING, POSTGRES_SETTING, Servers
from tests.support.services import eventually

READY_S = 60.0
STOP_S = 15.0


@dataclass(frozen=True)
class Stack:
    """Where a running `pipeloom up` is, and where it keeps what is its own."""

    data_dir: Path
    http_port: int
    silent_host: str
    kafka: KafkaSettings
    postgres: PostgresSettings
    more: Mapping[str, str] = field(default_factory=dict)
    """Variables that this stack is started with beside the usual ones."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def signing_key_file(self) -> Path:
        return self.data_dir / "signing-key.pem"

    @property
    def output_file(self) -> Path:
        return self.data_dir.with_suffix(".output")

    def command_line(self) -> list[str]:
        """Return what a user types."""
        options = ["--data-dir", str(self.data_dir), "--http-port", str(self.http_port)]
        return [sys.executable, "-m", "pipeloom", "up", *options]

    def variables(self) -> dict[str, str]:
        """Return the environment to type it in: the servers of the tests, and names that no other stack on them has."""
        return {
            **os.environ,
            KAFKA_SETTING: self.kafka.bootstrap_servers,
            POSTGRES_SETTING: self.postgres.dsn.get_secret_value(),
            "PIPELOOM_KAFKA__TOPIC_PREFIX": self.kafka.topic_prefix,
            "PIPELOOM_BUILDER__ALLOWED_HOSTS": json.dumps([self.silent_host]),
            "PIPELOOM_WEBHOOKS__ALLOW_HTTP": "true",
            "PIPELOOM_WEBHOOKS__ALLOWED_NETWORKS": json.dumps(["127.0.0.0/8"]),
            **self.more,
        }

    @contextlib.contextmanager
    def paused(self, service: str) -> Iterator[None]:
        """Let a service stand still for the length of the block, which must be short: it loses its partitions after."""
        process = self._process_of(service)
        process.suspend()
        try:
            yield
        finally:
            process.resume()

    def _process_of(self, service: str) -> psutil.Process:
        (up,) = (each for each in psutil.Process().children() if str(self.data_dir) in each.cmdline())
        (found,) = (each for each in up.children(recursive=True) if f"services.{service}" in each.cmdline())
        return found


@asynccontextmanager
async def open_stack(servers: Servers, folder: Path, more: Mapping[str, str] | None = None) -> AsyncIterator[Stack]:
    """Run the product for the length of the block, from when it is ready; then demand that it ends as it should."""
    stack = Stack(
        data_dir=folder / "data",
        http_port=pick_port(),
        silent_host=f"127.0.0.1:{pick_port()}",
        kafka=KafkaSettings(bootstrap_servers=servers.bootstrap_servers, topic_prefix=unique("acceptance")),
        postgres=PostgresSettings(dsn=SecretStr(await servers.new_database())),
        more=more or {},
    )
    up = await _start(stack, folder)
    try:
        await eventually(lambda: up.returncode is not None or (stack.data_dir / "env").exists(), READY_S)
        assert up.returncode is None, stack.output_file.read_text()
        yield stack
        await _stop_in_order(up)
    finally:
        with contextlib.suppress(ProcessLookupError):
            up.kill()
        await asyncio.wait_for(up.wait(), STOP_S)


async def _start(stack: Stack, folder: Path) -> Process:
    with stack.output_file.open("wb") as output:
        return await asyncio.create_subprocess_exec(
            *stack.command_line(), cwd=folder, env=stack.variables(), stdout=output, stderr=output
        )


async def _stop_in_order(up: Process) -> None:
    family = psutil.Process(up.pid).children(recursive=True)
    up.send_signal(signal.SIGTERM)
    code = await asyncio.wait_for(up.wait(), STOP_S)
    left = [process for process in family if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]
    assert (code, left) == (0, [])

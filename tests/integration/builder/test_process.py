import asyncio
import os
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest

from services.kit.process import DRAIN_S

WAIT_S = 20.0
# What the services have to be stopped in.
STOP_S = 15.0
# A builder whose build does not look up from its work.
DEAF = """
import threading
from services.builder import reporter
from services.builder.service import main
from services.kit.process import run_service

def examine(*_):
    print("begun", flush=True)
    threading.Event().wait()

reporter.examine = examine
run_service("builder", main)
"""


class SilentHost:
    """Takes connections and says nothing."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.name = ""
        self._writers: list[asyncio.StreamWriter] = []

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        self.asked.set()

    def close(self) -> None:
        for writer in self._writers:
            writer.close()


@pytest.fixture
async def silent_host() -> AsyncIterator[SilentHost]:
    host = SilentHost()
    async with await asyncio.start_server(host.take, "127.0.0.1", 0) as server:
        host.name = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield host
        host.close()


def environment(settings: Any, allowed_host: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")} | {
        "PIPELOOM_KAFKA__BOOTSTRAP_SERVERS": settings.kafka.bootstrap_servers,
        "PIPELOOM_KAFKA__TOPIC_PREFIX": settings.kafka.topic_prefix,
        "PIPELOOM_BUILDER__WORK_DIR": str(settings.builder.work_dir),
        "PIPELOOM_OBJECTS__LOCATION": settings.objects.location,
        "PIPELOOM_SECRETS__KEY_FILE": str(settings.secrets.key_file),
        "PIPELOOM_BUILDER__ALLOWED_HOSTS": f'["{allowed_host}"]',
    }


async def test_a_builder_ends_soon_after_sigterm_while_a_host_keeps_it_waiting(
    workshop: Any, created: Any, silent_host: SilentHost
) -> None:
    # Given a builder process that fetches from a host which does not answer
    settings = workshop.settings
    await workshop.publish(created(f"https://{silent_host.name}/churn.git"))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.builder", env=environment(settings, silent_host.name)
    )
    try:
        async with asyncio.timeout(WAIT_S):
            await silent_host.asked.wait()
        # When
        process.terminate()
        # Then
        async with asyncio.timeout(DRAIN_S):
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert await workshop.lag() == 1
    assert list(settings.builder.work_dir.iterdir()) == []


async def test_a_build_that_does_not_end_keeps_no_builder_from_ending(workshop: Any, created: Any) -> None:
    # Given
    await workshop.publish(created("/srv/churn"))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", DEAF, env=environment(workshop.settings, "host"), stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout
        async with asyncio.timeout(WAIT_S):
            while b"begun" not in await process.stdout.readline():
                assert process.returncode is None
        # When
        process.terminate()
        # Then
        async with asyncio.timeout(STOP_S):
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert await workshop.lag() == 1

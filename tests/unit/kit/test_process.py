"""What runs beside something else, and ends with it."""

import asyncio
import socket
import subprocess
import sys

import httpx
import pytest

from pipeloom.local.ports import HOST, pick_port
from services.kit.health import Health, health_app
from services.kit.process import running, serving

SERVE = """
import asyncio, sys
from services.kit.health import Health, health_app
from services.kit.process import serving

async def main():
    try:
        async with serving(health_app(Health()), sys.argv[1], int(sys.argv[2])):
            print("served")
    except RuntimeError as error:
        print(error)

asyncio.run(main())
"""


async def for_ever(started: asyncio.Event, ended: asyncio.Event) -> None:
    started.set()
    try:
        await asyncio.Event().wait()
    finally:
        ended.set()


async def failing(after: asyncio.Event) -> None:
    await after.wait()
    raise ConnectionError("the line is cut")


async def test_what_runs_beside_a_block_ends_with_it() -> None:
    started, ended = asyncio.Event(), asyncio.Event()
    async with asyncio.timeout(5), running(for_ever(started, ended)):
        await started.wait()
        assert not ended.is_set()
    assert ended.is_set()


async def test_the_failure_of_one_ends_the_block_and_the_others() -> None:
    started, ended, fail = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def block() -> None:
        async with asyncio.timeout(5), running(for_ever(started, ended), failing(fail)):
            await started.wait()
            fail.set()
            await asyncio.Event().wait()

    with pytest.raises(ExceptionGroup) as caught:
        await block()
    assert caught.group_contains(ConnectionError, match="the line is cut")
    assert ended.is_set()


async def test_the_failure_of_the_block_ends_what_runs_beside_it() -> None:
    started, ended = asyncio.Event(), asyncio.Event()

    async def block() -> None:
        async with asyncio.timeout(5), running(for_ever(started, ended)):
            await started.wait()
            raise ValueError("of the block")

    with pytest.raises(ExceptionGroup) as caught:
        await block()
    assert caught.group_contains(ValueError, match="of the block")
    assert ended.is_set()


async def test_an_application_is_served_inside_the_block_only() -> None:
    health, port = Health(), pick_port()
    health.well("everything")
    async with httpx.AsyncClient(base_url=f"http://{HOST}:{port}", timeout=5) as client:
        async with serving(health_app(health), HOST, port):
            assert (await client.get("/readyz")).status_code == 200
        with pytest.raises(httpx.ConnectError):
            await client.get("/readyz")


def test_a_port_that_is_taken_is_told_in_a_sentence() -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        ended = subprocess.run(
            [sys.executable, "-c", SERVE, HOST, str(port)], capture_output=True, text=True, timeout=30, check=False
        )
    assert f"the HTTP server could not start on {HOST}:{port}" in ended.stdout

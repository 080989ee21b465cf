"""What the proxy between clients and servers does to them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from pipeloom.local.ports import HOST, pick_port
from tests.chaos.harness.proxy import Proxy

SOON_S = 5.0
A_MOMENT_S = 0.1


class Echo:
    """A server that answers what it is told, in capitals, and remembers it."""

    def __init__(self) -> None:
        self.told = b""

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(1000):
                self.told += data
                writer.write(data.upper())
        writer.close()


class Client:
    """A connection that never waits for long."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer

    async def ask(self, text: bytes) -> bytes:
        """Return the answer, empty when the connection ends instead."""
        self.writer.write(text)
        with contextlib.suppress(ConnectionError):
            return await asyncio.wait_for(self._reader.read(1000), SOON_S)
        return b""


@pytest.fixture
async def echo() -> Echo:
    return Echo()


@pytest.fixture
async def proxy(echo: Echo) -> AsyncIterator[Proxy]:
    port = pick_port()
    async with await asyncio.start_server(echo, HOST, port):
        proxy = Proxy("test", port)
        await proxy.start()
        yield proxy
        await proxy.stop()


@pytest.fixture
async def client(proxy: Proxy) -> AsyncIterator[Client]:
    reader, writer = await asyncio.open_connection(HOST, proxy.port)
    yield Client(reader, writer)
    await closed(writer)


async def closed(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


async def test_it_forwards_both_ways(client: Client) -> None:
    assert await client.ask(b"hello") == b"HELLO"


async def test_a_lost_reply_was_delivered(client: Client, proxy: Proxy, echo: Echo) -> None:
    proxy.lose_replies(1)

    assert await client.ask(b"commit") == b""
    assert echo.told == b"commit"
    assert proxy.lost_replies == 1


async def test_cut_ends_every_connection(client: Client, proxy: Proxy) -> None:
    await client.ask(b"hello")

    assert proxy.cut() == 1

    assert await client.ask(b"again") == b""


async def test_what_hangs_goes_on_when_it_heals(client: Client, proxy: Proxy) -> None:
    proxy.hang()
    answer = asyncio.ensure_future(client.ask(b"hello"))
    assert (await asyncio.wait({answer}, timeout=A_MOMENT_S))[1] == {answer}

    proxy.heal()

    assert await answer == b"HELLO"


async def test_a_server_that_is_away_is_away_for_its_client() -> None:
    proxy = Proxy("test", pick_port())
    await proxy.start()
    reader, writer = await asyncio.open_connection(HOST, proxy.port)

    assert await Client(reader, writer).ask(b"hello") == b""

    await closed(writer)
    await proxy.stop()

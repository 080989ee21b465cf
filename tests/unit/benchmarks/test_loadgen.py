"""The load generator, against a server in the same process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Any

import pytest

from benchmarks.loadgen import HOST, perform
from benchmarks.wire import NAME, Template


class Server(asyncio.Protocol):
    """Answers each request at once, and remembers the first lines."""

    def __init__(self, asked: list[str], answer: bytes) -> None:
        self._asked = asked
        self._answer = answer
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._asked.append(data.split(b" HTTP")[0].decode())
        self._transport.write(self._answer)


@asynccontextmanager
async def serving(asked: list[str], status: str, body: bytes) -> AsyncIterator[int]:
    answer = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    server = await asyncio.get_running_loop().create_server(lambda: Server(asked, answer), HOST, 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


def order(port: int, **given: Any) -> dict[str, Any]:
    template = asdict(Template("GET", f"/x/{NAME}"))
    return {"port": port, "template": template, "connections": 2, "seconds": 30.0, **given}


async def test_each_name_is_asked_for_once_over_all_connections() -> None:
    # Given
    asked: list[str] = []
    async with serving(asked, "200 OK", b"{}") as port:
        # When
        told = await perform(order(port, names=["a", "b", "c", "d", "e"]))
    # Then
    assert sorted(asked) == ["GET /x/a", "GET /x/b", "GET /x/c", "GET /x/d", "GET /x/e"]
    assert (told["requests"], told["failed"], sorted(told["done"])) == (5, 0, ["a", "b", "c", "d", "e"])


async def test_new_names_are_numbered_up_to_their_count() -> None:
    # Given
    asked: list[str] = []
    async with serving(asked, "201 Created", b"{}") as port:
        # When
        await perform(order(port, prefix="n", count=3))
    # Then
    assert sorted(asked) == ["GET /x/n0000000", "GET /x/n0000001", "GET /x/n0000002"]


async def test_it_ends_when_the_time_is_over() -> None:
    # Given
    async with serving([], "200 OK", b"{}") as port:
        # When
        told = await perform(order(port, names=["a"], again=True, seconds=0.2))
    # Then
    assert told["requests"] > 2
    assert 0.2 <= told["elapsed_s"] < 10


async def test_a_refusal_is_told_and_does_not_count_as_done() -> None:
    # Given
    async with serving([], "503 Service Unavailable", b"busy") as port:
        # When
        told = await perform(order(port, names=["a"]))
    # Then
    assert (told["failed"], told["done"], told["refusal"], told["statuses"]) == (1, [], "busy", {503: 1})


async def test_a_server_that_hangs_up_is_no_result() -> None:
    # Given
    async with serving([], "200 OK", b"{}") as port:
        pass
    # When / Then
    with pytest.raises(OSError, match=r"refused|Connect"):
        await perform(order(port, names=["a"]))

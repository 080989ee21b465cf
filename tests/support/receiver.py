"""A server on this machine that webhooks are sent to, and that answers as it is told."""

import asyncio
import contextlib
import ssl
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus

Behaviour = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True)
class Posted:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes


def answering(status: int, **headers: str) -> Behaviour:
    """Answer with a status and no body."""
    told = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    head = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Length: 0\r\n{told}\r\n"

    async def behave(writer: asyncio.StreamWriter) -> None:
        writer.write(head.encode())
        await writer.drain()

    return behave


async def hang(_: asyncio.StreamWriter) -> None:
    """Say nothing for ever."""
    await asyncio.Event().wait()


def streaming(head: bytes, chunk: bytes) -> Behaviour:
    """Send `head`, and then `chunk` over and over until the other side has enough."""

    async def behave(writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        while True:
            writer.write(chunk)
            await writer.drain()
            await asyncio.sleep(0)

    return behave


@dataclass
class Receiver:
    """What came, and what is answered by path: one behaviour after the other, the last one from then on."""

    port: int = 0
    scheme: str = "http"
    posted: list[Posted] = field(default_factory=list)
    behaviours: dict[str, list[Behaviour]] = field(default_factory=lambda: defaultdict(lambda: [answering(204)]))
    ended: int = 0

    def url(self, path: str) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}{path}"

    def on(self, path: str, *behaviours: Behaviour) -> None:
        self.behaviours[path] = list(behaviours)

    def at(self, path: str) -> list[Posted]:
        return [each for each in self.posted if each.path == path]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                posted = await _read(reader)
                self.posted.append(posted)
                behaviours = self.behaviours[posted.path]
                await (behaviours.pop(0) if len(behaviours) > 1 else behaviours[0])(writer)
        finally:
            self.ended += 1
            writer.close()


async def _read(reader: asyncio.StreamReader) -> Posted:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    request, *lines = head.split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
    return Posted(request.split(" ")[1], headers, await reader.readexactly(int(headers["content-length"])))


@asynccontextmanager
async def open_receiver(tls: ssl.SSLContext | None = None) -> AsyncIterator[Receiver]:
    """Serve for the length of the block; whoever still hangs is cut at its end."""
    receiver = Receiver(scheme="https" if tls else "http")
    tasks: set[asyncio.Task[None]] = set()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(receiver.serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

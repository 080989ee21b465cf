"""A lean HTTP/1.1 client: what one that does more costs would be measured as the service's latency."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

ANSWER_S = 60.0


class Answer(NamedTuple):
    """A status and a body; a stream's body is read to its end."""

    status: int
    body: bytes

    @property
    def code(self) -> str:
        """The stable code of a refusal, or the status."""
        if self.status < 400:
            return str(self.status)
        return str(json.loads(self.body)["name"])


class Connection:
    """One connection that is kept, one request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, token: str) -> None:
        self._reader = reader
        self._writer = writer
        self._token = token

    async def ask(self, method: str, path: str, document: Any = None) -> Answer:
        """Send a request and return the whole answer. Raises TimeoutError."""
        body = b"" if document is None else json.dumps(document).encode()
        head = (
            f"{method} /api/v1{path} HTTP/1.1\r\nHost: pipeloom\r\nAuthorization: Bearer {self._token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self._writer.write(head.encode() + body)
        async with asyncio.timeout(ANSWER_S):
            return await self._answer()

    async def _answer(self) -> Answer:
        lines = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        status = int(lines[0].split(" ")[1])
        if headers.get("transfer-encoding") == "chunked":
            return Answer(status, await self._chunks())
        return Answer(status, await self._reader.readexactly(int(headers.get("content-length", "0"))))

    async def _chunks(self) -> bytes:
        """Read a stream to its end; what it holds is not kept."""
        while size := int(await self._reader.readuntil(b"\r\n"), 16):
            await self._reader.readexactly(size + 2)
        await self._reader.readexactly(2)
        return b""


@asynccontextmanager
async def connected(port: int, token: str) -> AsyncIterator[Connection]:
    """Give a connection to the service on this machine."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**22)
    try:
        yield Connection(reader, writer, token)
    finally:
        writer.close()

"""Many readers of the event stream over bare connections, which note when each event came."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from benchmarks.wire import Template
from pipeloom.local.ports import HOST

OPEN_S = 60.0
ID = re.compile(rb"^id: ([0-9]+)\r?$", re.MULTILINE)


class Reader(asyncio.Protocol):
    """One reader: the event's place in the environment's history → when it came."""

    def __init__(self, request: bytes) -> None:
        self.seen: dict[int, float] = {}
        self.is_open = asyncio.Event()
        self.transport: Any = None
        self._request = request
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for what comes from now on."""
        self.transport = transport
        self.transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Note the ids of the events in what came; a line may come in two pieces."""
        now = time.perf_counter()
        whole, _, self._rest = (self._rest + data).rpartition(b"\n")
        for found in ID.findall(whole):
            self.seen.setdefault(int(found), now)
            self.is_open.set()


@asynccontextmanager
async def reading(port: int, authorization: str, number: int) -> AsyncIterator[list[Reader]]:
    """Keep `number` readers open inside the block."""
    headers = {"Authorization": authorization, "Accept": "text/event-stream"}
    (request,) = Template("GET", "/api/v1/events?from=now", None, headers).pieces(0)
    loop = asyncio.get_running_loop()
    readers = []
    try:
        async with asyncio.timeout(OPEN_S):
            for _ in range(number):
                _, reader = await loop.create_connection(lambda: Reader(request), HOST, port)
                readers.append(reader)
            await asyncio.gather(*(reader.is_open.wait() for reader in readers))
        yield readers
    finally:
        for reader in readers:
            reader.transport.abort()

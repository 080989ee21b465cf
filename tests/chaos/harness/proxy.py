"""A TCP proxy that can hang, be slow, cut its connections, and swallow the reply to what it delivered."""

import asyncio
import contextlib
from dataclasses import dataclass

from pipeloom.local.ports import HOST, pick_port

CHUNK = 256 * 1024
CONNECT_S = 5.0
CLOSE_S = 2.0


@dataclass(eq=False)
class _Pair:
    """One connection of a client, and the one to the server that belongs to it."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    owes_reply: bool = False
    """Something was delivered since replies are swallowed."""

    async def close(self) -> None:
        """Close both ends once what was written is sent, or after CLOSE_S."""
        for writer in (self.client, self.server):
            writer.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_S):
                ends = (self.client.wait_closed(), self.server.wait_closed())
                await asyncio.gather(*ends, return_exceptions=True)
        self.abort()

    def abort(self) -> None:
        self.client.transport.abort()
        self.server.transport.abort()


class Proxy:
    """Stands between clients and the server at `target`; as it is made, it only forwards."""

    def __init__(self, name: str, target: int, reply_to: int = 1) -> None:
        """Swallow, when asked to, only replies to what came in a piece of at least `reply_to` bytes."""
        self.name = name
        self.port = pick_port()
        self.lost_replies = 0
        self._target = target
        self._reply_to = reply_to
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._delay_s = 0.0
        self._to_lose = 0
        self._pairs: set[_Pair] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, HOST, self.port, backlog=512)

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def hang(self) -> None:
        """Forward nothing more until it heals; connections stay open, and new ones are taken."""
        self._flowing.clear()

    def slow(self, delay_s: float) -> None:
        """Let each piece wait before it is forwarded."""
        self._delay_s = delay_s

    def cut(self) -> int:
        """End all connections at once; return how many."""
        pairs = list(self._pairs)
        for pair in pairs:
            pair.abort()
        return len(pairs)

    def lose_replies(self, number: int) -> None:
        """Deliver the next requests, swallow what comes back, and hang up: the client cannot know."""
        for pair in self._pairs:
            pair.owes_reply = False
        self._to_lose = number

    def heal(self) -> None:
        """Only forward from now on."""
        self._delay_s, self._to_lose = 0.0, 0
        self._flowing.set()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer), name=f"proxy {self.name}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(CONNECT_S):
                answers, server = await asyncio.open_connection(HOST, self._target)
        except (OSError, TimeoutError):
            client.transport.abort()
            await asyncio.sleep(0)  # the transport is closed by the loop's next turn
            return
        pair = _Pair(client, server)
        self._pairs.add(pair)
        pumps = [
            asyncio.ensure_future(self._requests(pair, reader)),
            asyncio.ensure_future(self._replies(pair, answers)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._pairs.discard(pair)
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            await pair.close()

    async def _requests(self, pair: _Pair, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(CHUNK):
                await self._hold()
                if self._to_lose and len(data) >= self._reply_to:
                    pair.owes_reply = True
                pair.server.write(data)
                await pair.server.drain()

    async def _replies(self, pair: _Pair, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(CHUNK):
                await self._hold()
                if self._to_lose and pair.owes_reply:
                    self._to_lose -= 1
                    self.lost_replies += 1
                    pair.abort()
                    return
                pair.client.write(data)
                await pair.client.drain()

    async def _hold(self) -> None:
        await self._flowing.wait()
        if self._delay_s:
            await asyncio.sleep(self._delay_s)

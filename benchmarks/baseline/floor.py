"""The least that a service can do for a request: one asyncpg statement, or one record that Kafka acknowledges.

No framework, no model, no validation: a bare ASGI application. What a product adds to this is what it costs.
"""

import os
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

import aiosql
import asyncpg
from aiokafka import AIOKafkaProducer

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

TOPIC = "benchmark-floor"
HEADERS = [(b"content-type", b"application/json")]

sql: Any = aiosql.from_path(Path(__file__).with_suffix(".sql"), "asyncpg", mandatory_parameters=False)


class Floor:
    """The application, with its pool and its producer."""

    def __init__(self) -> None:
        self._pool: Any = None
        self._producer: Any = None

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request, or follow the life of the server."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        body = await self._do(scope["method"], scope["path"], receive)
        length = (b"content-length", str(len(body)).encode())
        await send({"type": "http.response.start", "status": 200, "headers": [*HEADERS, length]})
        await send({"type": "http.response.body", "body": body})

    async def _do(self, method: str, path: str, receive: Receive) -> bytes:
        name = path.rpartition("/")[2]
        if path.startswith("/kafka/"):
            await self._producer.send_and_wait(TOPIC, await _body(receive), key=name.encode())
            return b"{}"
        if method == "PUT":
            document = (await _body(receive)).decode()
            await self._pool.execute(sql.put.sql, name, document)
            return document.encode()
        if method == "DELETE":
            await self._pool.execute(sql.remove.sql, name)
            return b"{}"
        found = self._pool.fetchval(sql.find.sql, name) if name else self._pool.fetchval(sql.list_page.sql)
        return str(await found).encode()

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        self._pool = await asyncpg.create_pool(os.environ["BENCHMARK_FLOOR_DSN"], min_size=20, max_size=20)
        await self._pool.execute(sql.make_table.sql)
        self._producer = AIOKafkaProducer(
            bootstrap_servers=os.environ["BENCHMARK_FLOOR_KAFKA"], enable_idempotence=True, acks="all", linger_ms=0
        )
        await self._producer.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._producer.stop()
        await self._pool.close()
        await send({"type": "lifespan.shutdown.complete"})


async def _body(receive: Receive) -> bytes:
    body = b""
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


app = Floor()

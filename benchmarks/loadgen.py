"""A closed-loop load generator in a process of its own: one request in flight on each connection.

It shares the machine with what it measures, so it does as little as it can: a bare protocol on uvloop, requests whose
bytes are ready, no task and no future for a request. It reads one order as a JSON line and answers with one, for ever.
"""

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count, cycle
from typing import Any

import httptools
import uvloop

from benchmarks.spread import percentile
from benchmarks.wire import Template, numbered

HOST = "127.0.0.1"
STUCK_S = 60.0
SAMPLE = 300


@dataclass
class Run:
    """One order under way: what is still to ask, and what was seen."""

    pieces: list[bytes]
    names: Iterator[str]
    ends_at: float
    latencies: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    done: list[str] = field(default_factory=list)
    refusal: bytes = b""
    last: bytes = b""

    def next_request(self) -> tuple[str, bytes] | None:
        """Return the next name and its request, None when it is over."""
        if time.perf_counter() >= self.ends_at:
            return None
        name = next(self.names, None)
        return None if name is None else (name, name.encode().join(self.pieces))


class Connection(asyncio.Protocol):
    """Asks the next thing as soon as the last one is answered."""

    def __init__(self, run: Run) -> None:
        self.over = asyncio.get_running_loop().create_future()
        self._run = run
        self._parser = httptools.HttpResponseParser(self)
        self._transport: Any = None
        self._name = ""
        self._began = 0.0
        self._body = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport; `ask` begins."""
        self._transport = transport

    def ask(self) -> None:
        """Send the next request, or say that it is over."""
        following = self._run.next_request()
        if following is None:
            self.over.set_result(None)
            return
        self._name, request = following
        self._body = b""
        self._began = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Take what came of an answer."""
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        """Keep a part of an answer's body."""
        self._body += body

    def on_message_complete(self) -> None:
        """Count the answer, and go on."""
        run, status = self._run, self._parser.get_status_code()
        run.latencies.append(time.perf_counter() - self._began)
        run.statuses[status] += 1
        if status in {200, 201, 204}:
            run.done.append(self._name)
            run.last = self._body
        else:
            run.refusal = self._body
        self.ask()

    def connection_lost(self, trouble: Exception | None) -> None:
        """Fail unless it was over."""
        if not self.over.done():
            self.over.set_exception(trouble or ConnectionResetError("the server closed the connection"))


def _names(order: dict[str, Any]) -> Iterator[str]:
    if "names" in order:
        return cycle(order["names"]) if order.get("again") else iter(order["names"])
    last = order.get("count")
    numbers = count() if last is None else iter(range(last))
    return (numbered(order["prefix"], number) for number in numbers)


async def perform(order: dict[str, Any]) -> dict[str, Any]:
    """Do what an order says and return what was seen."""
    template = Template(**order["template"])
    name_length = len(order["names"][0]) if "names" in order else len(numbered(order["prefix"], 0))
    run = Run(template.pieces(name_length), _names(order), 0.0)
    loop = asyncio.get_running_loop()
    made = [
        await loop.create_connection(lambda: Connection(run), HOST, order["port"]) for _ in range(order["connections"])
    ]
    cpu, began = time.process_time(), time.perf_counter()
    run.ends_at = began + order["seconds"]
    try:
        async with asyncio.timeout(order["seconds"] + STUCK_S):
            for _, connection in made:
                connection.ask()
            await asyncio.gather(*(connection.over for _, connection in made))
        elapsed = time.perf_counter() - began
    finally:
        for transport, _ in made:
            transport.abort()
    return _told(run, elapsed, time.process_time() - cpu)


def _told(run: Run, elapsed: float, cpu_s: float) -> dict[str, Any]:
    return {
        "requests": len(run.latencies),
        "elapsed_s": elapsed,
        "p50_ms": percentile(run.latencies, 0.5) * 1000 if run.latencies else None,
        "p99_ms": percentile(run.latencies, 0.99) * 1000 if run.latencies else None,
        "failed": len(run.latencies) - len(run.done),
        "statuses": run.statuses,
        "refusal": run.refusal[:SAMPLE].decode(errors="replace"),
        "done": run.done,
        "last_bytes": len(run.last),
        "client_cpu_s": cpu_s,
    }


def main() -> None:
    """Perform the orders of standard input until it ends."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        for line in sys.stdin:
            print(json.dumps(runner.run(perform(json.loads(line)))), flush=True)


if __name__ == "__main__":
    main()

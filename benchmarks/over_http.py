"""Creates, reads, lists and deletes over HTTP, beside a textbook CRUD service and the floor.

Four peers share one Postgres (fsync and synchronous_commit on) and are measured alternately, in turning order:

  pipeloom                 the product as `pipeloom up` starts it: authentication, validation, Kafka (acks=all) and all
  crud                     FastAPI + SQLAlchemy + asyncpg, tuned, one worker: what one would write instead
  floor: one statement     a bare ASGI handler that does one asyncpg statement
  floor: one Kafka record  a bare ASGI handler that has one record acknowledged (acks=all); creates only

A figure is a ratio: our rate over the base's in the same round; the tables show the median of the rounds and the range.
A create counts when it is durable and everyone can read it; that is checked after each phase, on both sides.
Reads and lists run on 5,000 stored pipelines. CPU is what all processes of a side used, Postgres and Kafka included,
until what follows an answer (publishing, the monitor) is done too; the next phase begins after that.

    python -m benchmarks http                          the whole of it, about 4 minutes
    python -m benchmarks http --only create --rounds 5 one operation, more rounds
"""

import asyncio
import random
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict

from benchmarks.baseline.floor import TOPIC
from benchmarks.http_checks import demand_page, demand_readable, demand_stored
from benchmarks.load import Load, Seen, load_generator
from benchmarks.peers import PAGE, Peer, crud_peer, floor_peers, make_database, product_peer
from benchmarks.phases import BASE, OURS, Found, Phase, rotated
from benchmarks.processes import cpu_below, settle, used_between
from benchmarks.product import Product, scratch, started
from benchmarks.report import options, said, write
from benchmarks.show_http import show_found
from benchmarks.topics import make_topic
from benchmarks.wire import numbered

STORED = 5_000
OPERATIONS = ("create", "get", "list", "delete")
WRITES = ("create", "delete")
CONNECTIONS = (1, 32)
SEED_CONNECTIONS = 32
UNBOUNDED_S = 120.0
CREATED_AT_MOST = 20_000


class Bench:
    """The peers, the load on them, and what was seen of them so far."""

    def __init__(self, peers: Sequence[Peer], load: Load, stored: int, connections: Sequence[int]) -> None:
        self.found = Found()
        self._peers = {peer.name: peer for peer in peers}
        self._load = load
        self._connections = connections
        self._stored = [numbered("s", number) for number in range(stored)]
        self._created: dict[tuple[str, int], Sequence[str]] = {}

    def renew(self, peer: Peer) -> None:
        """Ask a peer in another way from now on: with a token that has not expired."""
        self._peers[peer.name] = peer

    def fill(self) -> None:
        """Store what is read and listed, and see that the pages are as long as they should be."""
        for name, peer in self._peers.items():
            if "get" in peer.asks:
                said(f"storing {len(self._stored):,} pipelines in {name}")
                asks = peer.asks["create"]
                self._load.run(peer.port, asks, SEED_CONNECTIONS, UNBOUNDED_S, names=self._stored)
                demand_page(peer, min(PAGE, len(self._stored)))

    def round(self, number: int, operations: Sequence[str], seconds: float) -> None:
        """Measure everything once; what was created is gone again at the end."""
        for operation in OPERATIONS:
            for connections in self._connections:
                for name in rotated(list(self._peers), number):
                    self._phase(self._peers[name], operation, connections, number, seconds, operation in operations)

    def _phase(
        self, peer: Peer, operation: str, connections: int, number: int, seconds: float, is_measured: bool
    ) -> None:
        is_needed = is_measured or (operation == "create" and operation in peer.asks)
        if operation not in peer.asks or not (is_needed or operation == "delete"):
            return
        pids = (peer.pid, *peer.shared)
        before = cpu_below(*pids)
        seen = self._ask(peer, operation, connections, number, seconds)
        if peer.name == OURS and operation in WRITES:
            settle(peer.pid)
        used = used_between(before, cpu_below(*pids))
        if is_measured and seen.requests:
            self.found.phases.append(_phase_of(peer, operation, connections, number, seen, used))
            said(f"round {number + 1}  {operation:<6} {connections:>2}  {peer.name:<23} {seen.rate:>8,.0f} a second")
        if operation == "delete":
            self._delete_rest(peer, connections, seen)

    def _ask(self, peer: Peer, operation: str, connections: int, number: int, seconds: float) -> Seen:
        asks = peer.asks[operation]
        if operation == "create":
            prefix = f"n{number}-{connections:02d}-"
            seen = self._load.run(peer.port, asks, connections, seconds, prefix=prefix, count=CREATED_AT_MOST)
            self._created[peer.name, connections] = seen.done
            demand_readable(peer, seen.done)
            return seen
        if operation == "delete":
            return self._load.run(peer.port, asks, connections, seconds, names=self._created[peer.name, connections])
        names = random.Random(number).sample(self._stored, len(self._stored))
        return self._load.run(peer.port, asks, connections, seconds, names=names, again=True)

    def _delete_rest(self, peer: Peer, connections: int, seen: Seen) -> None:
        gone = set(seen.done)
        rest = [name for name in self._created.pop((peer.name, connections)) if name not in gone]
        if rest:
            self._load.run(peer.port, peer.asks["delete"], SEED_CONNECTIONS, UNBOUNDED_S, names=rest)


def _phase_of(peer: Peer, operation: str, connections: int, number: int, seen: Seen, used: dict[str, float]) -> Phase:
    cpu_ms = {part: seconds * 1000 / seen.requests for part, seconds in used.items()}
    client_share = seen.client_cpu_s / seen.elapsed_s
    return Phase(
        peer.name,
        operation,
        connections,
        number,
        seen.requests,
        seen.rate,
        seen.p50_ms,
        seen.p99_ms,
        cpu_ms,
        client_share,
    )


def measure(
    rounds: int,
    seconds: float,
    operations: Sequence[str] = OPERATIONS,
    stored: int = STORED,
    connections: Sequence[int] = CONNECTIONS,
) -> tuple[Found, dict[str, float]]:
    """Run it; return all phases, and how much of a core each part of the idle product uses."""
    with ExitStack() as stack:
        folder = stack.enter_context(scratch())
        said("starting the product, the CRUD service and the floor")
        product = stack.enter_context(started(folder / "data"))
        product.make_step()
        asyncio.run(make_database(product.dsn(), "benchmark_crud"))
        asyncio.run(make_topic(product.kafka, TOPIC))
        crud = stack.enter_context(crud_peer(product, folder))
        floors = stack.enter_context(floor_peers(product, folder))
        load = stack.enter_context(load_generator(folder))
        bench = Bench([product_peer(product), crud, *floors], load, stored, connections)
        bench.fill()
        idle = _idle(product, seconds)
        for number in range(rounds):
            bench.renew(product_peer(product))
            bench.round(number, operations, seconds)
        asyncio.run(demand_stored(product, stored))
        return bench.found, idle


def _idle(product: Product, seconds: float) -> dict[str, float]:
    before = cpu_below(product.process.pid)
    time.sleep(seconds)
    used = used_between(before, cpu_below(product.process.pid))
    return {part: each / seconds for part, each in used.items()}


def main() -> None:
    """Measure, show and write."""
    parser = options(__doc__ or "", "http", rounds=3, seconds=2.0)
    parser.add_argument("--only", choices=OPERATIONS, action="append", help="measure this operation only; repeatable")
    given = parser.parse_args()
    found, idle = measure(given.rounds, given.seconds, given.only or OPERATIONS)
    show_found(found, given.only or OPERATIONS, CONNECTIONS)
    phases = [asdict(each) for each in found.phases]
    write(given.out, "http", {"ours": OURS, "base": BASE, "idle_cores": idle, "phases": phases})


if __name__ == "__main__":
    main()

"""From the commit to those who listen: a consumer of the events topic, and readers of the event stream (SSE).

The commit's moment is when Postgres tells it to a session that listens (NOTIFY comes with the commit, and to this
process as it does to any). The same process consumes the topic (read committed) and holds the readers, so that
one clock counts. Each event's delay is taken at the consumer, and at the first and at the last of the readers.

  quiet      one create every 100 ms; 1 reader
  200        the same with 200 readers
  load       32 connections create as fast as they can; 1 reader

    python -m benchmarks events             about 1 minute
    python -m benchmarks events --seconds 10 --rounds 5
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import httpx
import uvloop
from aiokafka import AIOKafkaConsumer, TopicPartition

from benchmarks.load import Load, load_generator
from benchmarks.peers import product_peer
from benchmarks.product import STEP, Product, scratch, started
from benchmarks.report import options, said, show, versus, write
from benchmarks.spread import percentile, short, spread
from benchmarks.sse_readers import Reader, reading
from events.codec import decode_event
from events.topics import EVENTS_TOPIC
from services.kit.kafka import count_partitions, reader
from services.kit.notices import CHANNEL, read_notice
from services.kit.settings import KafkaSettings

CONNECTIONS = 32
READERS = 200
QUIET_EVERY_S = 0.1
ARRIVED_WITHIN_S = 60.0
LOOK_EVERY_S = 0.05
KAFKA, FIRST, LAST = "Kafka consumer", "SSE reader", "last of the readers"
TARGETS = {
    ("quiet", KAFKA, "p50"): 10.0,
    ("quiet", FIRST, "p50"): 15.0,
    ("load", KAFKA, "p99"): 100.0,
    ("load", FIRST, "p99"): 105.0,
}

Where = tuple[int, int]


@dataclass
class Watch:
    """When each event was committed and when it came out of Kafka; which place in the history it has."""

    committed: dict[Where, float] = field(default_factory=dict)
    consumed: dict[Where, float] = field(default_factory=dict)
    sequences: dict[Where, int] = field(default_factory=dict)

    def on_notice(self, payload: str) -> None:
        """Note a commit."""
        now = time.perf_counter()
        for partition, (first, last) in read_notice(payload).items():
            for offset in range(first, last + 1):
                self.committed.setdefault((partition, offset), now)

    async def consume(self, consumer: AIOKafkaConsumer) -> None:
        """Note what comes out of Kafka, until cancelled."""
        while True:
            batches = await consumer.getmany(timeout_ms=200)
            now = time.perf_counter()
            for records in batches.values():
                for record in records:
                    event = decode_event(record.partition, record.headers, record.value)
                    where = (event.partition, event.position.offset)
                    self.consumed[where] = now
                    self.sequences[where] = event.sequence or 0

    def delays(self, readers: Sequence[Reader]) -> dict[str, list[float]]:
        """Return to whom → milliseconds after the commit, for each event that was committed."""
        delays: dict[str, list[float]] = {KAFKA: [], FIRST: [], LAST: []}
        for where, committed in self.committed.items():
            came = [each.seen[self.sequences[where]] for each in readers]
            moments = {KAFKA: self.consumed[where], FIRST: min(came), LAST: max(came)}
            for who, moment in moments.items():
                delays[who].append(max(0.0, (moment - committed) * 1000))
        return delays

    def is_all_there(self, readers: Sequence[Reader]) -> bool:
        """Tell whether everything that was committed came to everybody."""
        if self.committed.keys() - self.consumed.keys():
            return False
        wanted = {self.sequences[where] for where in self.committed}
        return all(wanted <= each.seen.keys() for each in readers)


@asynccontextmanager
async def watching(product: Product) -> AsyncIterator[Watch]:
    """Watch commits and the events topic inside the block."""
    watch = Watch()
    kafka = KafkaSettings(bootstrap_servers=product.kafka)
    topic = EVENTS_TOPIC.name(kafka.topic_prefix)
    partitions = [TopicPartition(topic, each) for each in range(await count_partitions(kafka, topic))]
    connection = await asyncpg.connect(product.dsn())
    consumer = reader(kafka)
    await consumer.start()
    consumer.assign(partitions)
    await consumer.seek_to_end()
    consuming = asyncio.create_task(watch.consume(consumer), name="consume")
    try:
        await connection.add_listener(CHANNEL, lambda *told: watch.on_notice(str(told[3])))
        yield watch
    finally:
        consuming.cancel()
        await asyncio.gather(consuming, return_exceptions=True)
        await consumer.stop()
        await connection.close()


async def _create_slowly(product: Product, seconds: float, prefix: str) -> None:
    headers = {"Authorization": product.authorization()}
    async with httpx.AsyncClient(base_url=product.variables["PIPELOOM_URL"], headers=headers, timeout=60) as client:
        for number in range(round(seconds / QUIET_EVERY_S)):
            body = {"pipeline_name": f"{prefix}-{number}", "step_names": [STEP]}
            (await client.post("/api/v1/pipelines", json=body)).raise_for_status()
            await asyncio.sleep(QUIET_EVERY_S)


async def _phase(product: Product, load: Load, name: str, seconds: float, prefix: str) -> dict[str, list[float]]:
    readers_wanted = READERS if name == str(READERS) else 1
    async with watching(product) as watch, reading(product.port, product.authorization(), readers_wanted) as readers:
        if name == "load":
            peer = product_peer(product)
            asks: dict[str, Any] = {"prefix": prefix}
            await asyncio.to_thread(load.run, peer.port, peer.asks["create"], CONNECTIONS, seconds, **asks)
        else:
            await _create_slowly(product, seconds, prefix)
        async with asyncio.timeout(ARRIVED_WITHIN_S):
            while not watch.is_all_there(readers):  # noqa: ASYNC110 - each reader notes for itself what came
                await asyncio.sleep(LOOK_EVERY_S)
        delays = watch.delays(readers)
    said(f"{name}: {len(delays[KAFKA])} events; Kafka p50 {percentile(delays[KAFKA], 0.5):.1f} ms")
    return delays


async def measure(rounds: int, seconds: float) -> list[dict[str, dict[str, dict[str, float]]]]:
    """Return for each round: phase → to whom → p50 and p99 in milliseconds."""
    with ExitStack() as stack:
        folder = stack.enter_context(scratch())
        said("starting the product")
        product = await asyncio.to_thread(stack.enter_context, started(folder / "data"))
        await asyncio.to_thread(product.make_step)
        load = stack.enter_context(load_generator(folder))
        found = []
        for number in range(rounds):
            phases = {}
            for name in ("quiet", str(READERS), "load"):
                delays = await _phase(product, load, name, seconds, f"e{number}-{name}-")
                phases[name] = {who: _told(each) for who, each in delays.items()}
            found.append(phases)
        return found


def _told(delays: Sequence[float]) -> dict[str, float]:
    return {"p50": percentile(delays, 0.5), "p99": percentile(delays, 0.99), "events": len(delays)}


def _show(rounds: Sequence[Mapping[str, Mapping[str, Mapping[str, float]]]]) -> None:
    rows = []
    for phase, listeners in rounds[0].items():
        for who in listeners:
            cells, targets = [], []
            for what in ("p50", "p99"):
                seen = spread([each[phase][who][what] for each in rounds])
                cells.append(seen.told())
                if (phase, who, what) in TARGETS:
                    targets.append(f"{what} {versus(seen.median, TARGETS[phase, who, what], at_least=False)}")
            events = short(sum(each[phase][who]["events"] for each in rounds))
            rows.append([f"{phase}: {who}", *cells, events, ", ".join(targets)])
    show("Milliseconds after the commit: median (range) of the rounds", ["", "p50", "p99", "events", "target"], rows)


def main() -> None:
    """Measure, show and write."""
    given = options(__doc__ or "", "events", rounds=3, seconds=4.0).parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        rounds = runner.run(measure(given.rounds, given.seconds))
    _show(rounds)
    write(given.out, "events", {"rounds": rounds})


if __name__ == "__main__":
    main()

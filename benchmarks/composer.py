"""Commands that wait in Kafka: how many a second one composer projects and one relay publishes.

In each round the composer and the relay are paused while N commands (new pipelines, on 16 environments) are produced.
The clock runs from the moment they go on until all are decided and stored (projected), and until the last event is on
the events topic (published). Then, on the same servers, the raw limits:

  getmany     aiokafka reads the same N commands, and does nothing with them
  inserts     asyncpg copies the rows that the composer wrote for them (pipeline, inbox, event log; same indexes)
              in transactions of 500 commands, and does nothing else
  both        one after the other in one process: what no composer can beat

    python -m benchmarks composer                   about 40 seconds
    python -m benchmarks composer --commands 50000  a longer run
"""

import asyncio
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import aiosql
import asyncpg
import uvloop
from aiokafka import TopicPartition

from benchmarks.processes import cpu_below, used_between
from benchmarks.product import scratch
from benchmarks.report import options, said, show, versus, write
from benchmarks.spread import short, spread
from benchmarks.writers import Writers, creations, produce, writers
from events.topics import COMMANDS_TOPIC
from services.kit.kafka import count_partitions, reader

ENVIRONMENTS = [f"bench-{number:02d}" for number in range(16)]
COMMANDS = 20_000
BATCH = 500
LOOK_EVERY_S = 0.02
WITHIN_S = 180.0
FASTEST_TARGET = 15_000
SHARE_TARGET = 0.5
TABLES = ("pipeline", "inbox", "event_log")

sql: Any = aiosql.from_path(Path(__file__).with_suffix(".sql"), "asyncpg", mandatory_parameters=False)


@dataclass(frozen=True, slots=True)
class Round:
    """Rates a second of one round, and the CPU that a command took in each part."""

    projected: float
    published: float
    getmany: float
    inserts: float
    cpu_ms: Mapping[str, float]

    @property
    def both(self) -> float:
        """The rate of reading and inserting one after the other."""
        return 1 / (1 / self.getmany + 1 / self.inserts)


async def _reached(find: Callable[[Any], Any], connection: Any, last: Mapping[int, int], began: float) -> float:
    """Return after how many seconds every partition was as far as `last`."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            rows = {row["partition"]: row["reached"] async for row in find(connection)}
            if all(rows.get(partition, -1) >= offset for partition, offset in last.items()):
                return time.perf_counter() - began
            await asyncio.sleep(LOOK_EVERY_S)


async def _ours(
    side: Writers, connections: Sequence[Any], number: int, prefix: str
) -> tuple[float, float, dict[str, float]]:
    commands = creations(ENVIRONMENTS, prefix, number)
    side.pause()
    try:
        last = await produce(side.kafka, commands)
        before = cpu_below(*side.pids)
    finally:
        began = time.perf_counter()
        side.go_on()
    projected, published = await asyncio.gather(
        _reached(sql.find_cursors, connections[0], last, began),
        _reached(sql.find_published, connections[1], last, began),
    )
    used = used_between(before, cpu_below(*side.pids))
    return projected, published, {part: seconds * 1000 / number for part, seconds in used.items()}


async def _getmany(side: Writers, number: int) -> float:
    """Return how many seconds reading the last commands takes."""
    topic = COMMANDS_TOPIC.name(side.kafka.topic_prefix)
    partitions = [TopicPartition(topic, each) for each in range(await count_partitions(side.kafka, topic))]
    consumer = reader(side.kafka)
    await consumer.start()
    try:
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        firsts = {each: max(0, ends[each] - number // len(partitions)) for each in partitions}
        for each, first in firsts.items():
            consumer.seek(each, first)
        wanted: int = sum(ends[each] - first for each, first in firsts.items())
        began = time.perf_counter()
        read = 0
        while read < wanted:
            read += sum(map(len, (await consumer.getmany(timeout_ms=500, max_records=BATCH)).values()))
        took = time.perf_counter() - began
        return took * number / wanted
    finally:
        await consumer.stop()


async def _inserts(connection: Any, number: int) -> float:
    """Return how many seconds inserting the rows of the last commands takes."""
    rows = {
        "pipeline": [tuple(row) async for row in sql.last_pipelines(connection, number=number)],
        "inbox": [tuple(row) async for row in sql.last_inbox(connection, number=number)],
        "event_log": [tuple(row) async for row in sql.last_events(connection, number=number)],
    }
    await sql.clear_raw(connection)
    began = time.perf_counter()
    for start in range(0, number, BATCH):
        async with connection.transaction():
            for table in TABLES:
                await connection.copy_records_to_table(
                    table, schema_name="raw", records=rows[table][start : start + BATCH]
                )
    return time.perf_counter() - began


async def _round(side: Writers, connections: Sequence[Any], number: int, prefix: str) -> Round:
    projected, published, cpu_ms = await _ours(side, connections, number, prefix)
    getmany = await _getmany(side, number)
    inserts = await _inserts(connections[0], number)
    found = Round(number / projected, number / published, number / getmany, number / inserts, cpu_ms)
    said(
        f"projected {found.projected:,.0f}, published {found.published:,.0f}, getmany {found.getmany:,.0f}, "
        f"inserts {found.inserts:,.0f} a second"
    )
    return found


async def measure(rounds: int, number: int) -> list[Round]:
    """Run it and return the rounds."""
    with scratch() as folder:
        said("starting Kafka, Postgres, a composer and a relay")
        async with writers(folder, ENVIRONMENTS) as side:
            connections = [await asyncpg.connect(side.dsn) for _ in range(2)]
            await sql.make_raw(connections[0])
            try:
                warm_up = f"w{random.randrange(10**6)}"
                await _ours(side, connections, min(number, 2_000), warm_up)
                return [await _round(side, connections, number, f"r{each}") for each in range(rounds)]
            finally:
                for connection in connections:
                    await connection.close()


def _show(rounds: Sequence[Round]) -> None:
    both = spread([each.both for each in rounds])
    published = spread([each.published for each in rounds])
    share = spread([each.published / each.both for each in rounds])
    rows = [
        ["projected", spread([each.projected for each in rounds]).told(), ""],
        ["projected and published", published.told(), versus(published.median, FASTEST_TARGET)],
        ["raw: getmany", spread([each.getmany for each in rounds]).told(), ""],
        ["raw: inserts", spread([each.inserts for each in rounds]).told(), ""],
        ["raw: both", both.told(), ""],
        ["published : raw both", share.told("×"), versus(share.median, SHARE_TARGET)],
    ]
    show("Commands a second: median (range) of the rounds", ["what", "a second", "target"], rows)
    parts = sorted(rounds[0].cpu_ms)
    cpu = [[part, short(spread([each.cpu_ms.get(part, 0.0) for each in rounds]).median * 1000)] for part in parts]
    show("CPU a command", ["part", "µs"], cpu)


def main() -> None:
    """Measure, show and write."""
    parser = options(__doc__ or "", "composer", rounds=3, seconds=None)
    parser.add_argument("--commands", type=int, default=COMMANDS, help=f"commands of a round ({COMMANDS})")
    given = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        rounds = runner.run(measure(given.rounds, given.commands))
    _show(rounds)
    write(given.out, "composer", {"commands": given.commands, "rounds": [asdict(each) for each in rounds]})


if __name__ == "__main__":
    main()

"""Keep a table of the pipelines of all environments from the events topic alone, with aiokafka.

Reads the topic from its beginning to the end that it has now, prints the table as JSON, and ends. With --follow it goes
on, and prints the table again whenever events have come. What is done with an event is in pipeline_table.py.

    set -a; . .pipeloom/env; set +a
    .venv/bin/python examples/consumers/table_with_aiokafka.py

PIPELOOM_KAFKA__TOPIC_PREFIX names the installation's topics (`pipeloom`).
"""

import asyncio
import os
import signal
import sys

from aiokafka import AIOKafkaConsumer, TopicPartition
from pipeline_table import PipelineTable

SERVERS = os.environ["PIPELOOM_KAFKA__BOOTSTRAP_SERVERS"]
TOPIC = os.environ.get("PIPELOOM_KAFKA__TOPIC_PREFIX", "pipeloom") + ".events"
POLL_MS = 200


async def main(follow: bool) -> None:
    """Read to the end, print the table, and go on if that is wanted."""
    # No group: the table is in memory, so each run wants all partitions, from their beginning, and commits nothing.
    consumer = AIOKafkaConsumer(
        TOPIC,
        bootstrap_servers=SERVERS,
        auto_offset_reset="earliest",
        isolation_level="read_committed",  # the relay publishes in transactions; some are aborted
    )
    table = PipelineTable()
    # Ctrl-C is looked at between two reads: aiokafka loses count of a read that is cancelled.
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stop.set)
    async with consumer:
        ends = await consumer.end_offsets(consumer.assignment())
        while not stop.is_set() and await is_behind(consumer, ends):
            await read(consumer, table)
        if stop.is_set():
            return
        print(table.as_json(), flush=True)
        while follow and not stop.is_set():
            if await read(consumer, table):
                print(table.as_json(), flush=True)


async def is_behind(consumer: AIOKafkaConsumer, ends: dict[TopicPartition, int]) -> bool:
    """Return whether a partition was not read to its end; a position also moves over what no reader is shown."""
    return any([await consumer.position(partition) < end for partition, end in ends.items()])


async def read(consumer: AIOKafkaConsumer, table: PipelineTable) -> int:
    """Take what has come into the table; return how many events that were."""
    batches = await consumer.getmany(timeout_ms=POLL_MS)
    records = [record for batch in batches.values() for record in batch]
    for record in records:
        table.take(record.headers, record.value)
    return len(records)


if __name__ == "__main__":
    asyncio.run(main(follow="--follow" in sys.argv[1:]))

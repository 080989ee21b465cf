"""The noisy environment: `python -m benchmarks.overload_noise KIND …` says when it begins, and what it did as JSON."""

import argparse
import asyncio
import json
import time
from collections import Counter
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from benchmarks.overload_wire import connected
from events.codec import encode_command
from events.commands import PipelineRequested
from events.envelope import Command, timestamp
from events.topics import COMMANDS_TOPIC
from services.kit.kafka import idempotent_producer
from services.kit.settings import KafkaSettings

STEP = "train"
BEGUN = "begun"
UNACKNOWLEDGED = 5_000


async def over_http(port: int, token: str, connections: int, seconds: float, *, reads: bool) -> Counter[str]:
    """Create, or list, as fast as possible over so many connections; count the answers."""
    answers: Counter[str] = Counter()
    print(BEGUN, flush=True)
    until = time.monotonic() + seconds

    async def one() -> None:
        async with connected(port, token) as connection:
            while time.monotonic() < until:
                fields = {"pipeline_name": f"noise-{uuid4().hex}", "step_names": [STEP]}
                asked = connection.ask("GET", "/pipelines") if reads else connection.ask("POST", "/pipelines", fields)
                answers[(await asked).code] += 1

    async with asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(one())
    return answers


async def over_kafka(bootstrap: str, environment: str, commands: int) -> Counter[str]:
    """Produce commands as fast as possible; count those that Kafka acknowledged."""
    kafka = KafkaSettings(bootstrap_servers=bootstrap)
    producer = idempotent_producer(kafka)
    await producer.start()
    sent: list[Any] = []
    print(BEGUN, flush=True)
    try:
        for _ in range(commands):
            record = encode_command(_command(environment))
            topic = COMMANDS_TOPIC.name(kafka.topic_prefix)
            sent.append(await producer.send(topic, record.value, key=record.key, headers=list(record.headers)))
            if len(sent) == UNACKNOWLEDGED:
                await asyncio.gather(*sent)
                sent.clear()
        await asyncio.gather(*sent)
    finally:
        await producer.stop()
    return Counter(acknowledged=commands)


def _command(environment: str) -> Command:
    data = PipelineRequested(pipeline_name=f"noise-{uuid4().hex}", step_names=[STEP])
    now = timestamp(datetime.now(UTC))
    return Command(
        id=uuid4(), environment=environment, actor="noise", source="/benchmarks/overload", time=now, data=data
    )


def main() -> None:
    """Make noise as the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__)
    kinds = parser.add_subparsers(dest="kind", required=True)
    for kind in ("creates", "lists"):
        http = kinds.add_parser(kind)
        http.add_argument("--port", type=int, required=True)
        http.add_argument("--token", required=True)
        http.add_argument("--connections", type=int, required=True)
        http.add_argument("--seconds", type=float, required=True)
    kafka = kinds.add_parser("kafka")
    kafka.add_argument("--bootstrap", required=True)
    kafka.add_argument("--environment", required=True)
    kafka.add_argument("--commands", type=int, required=True)
    given = parser.parse_args()
    if given.kind == "kafka":
        made = over_kafka(given.bootstrap, given.environment, given.commands)
    else:
        reads = given.kind == "lists"
        made = over_http(given.port, given.token, given.connections, given.seconds, reads=reads)
    print(json.dumps(asyncio.run(made)))


if __name__ == "__main__":
    main()

"""Compose a pipeline by sending commands straight to Kafka, with a plain producer and a plain consumer.

A command is a CloudEvent in binary mode: attributes in headers, JSON in the value, keyed by the environment. Its
result is an event with `ce_commandid` equal to the command's `ce_id` and `ce_result` equal to `true`. Nothing of
Pipeloom is imported here; any Kafka client in any language does the same. docs/guides/producers.md and
docs/guides/consumers.md have the rules.

    set -a; . .pipeloom/env; set +a
    .venv/bin/python examples/compose_with_kafka.py

PIPELOOM_ENVIRONMENT names the environment (`demo`, the one that `pipeloom up` makes), PIPELOOM_KAFKA__TOPIC_PREFIX
the installation's topics (`pipeloom`).
"""

import asyncio
import json
import os
import secrets
import uuid
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord
from step_repository import FUNCTION_NAME, FUNCTION_PATH, INPUTS, OUTPUTS, step_repository

SERVERS = os.environ["PIPELOOM_KAFKA__BOOTSTRAP_SERVERS"]
PREFIX = os.environ.get("PIPELOOM_KAFKA__TOPIC_PREFIX", "pipeloom")
ENVIRONMENT = os.environ.get("PIPELOOM_ENVIRONMENT", "demo")
PATIENCE_S = 30


class Door:
    """A producer of commands and a consumer of events."""

    def __init__(self, producer: AIOKafkaProducer, consumer: AIOKafkaConsumer) -> None:
        self._producer = producer
        self._consumer = consumer

    async def ask(self, command: str, **data: Any) -> str:
        """Send a command; return its id. A repeat with the same id would have no second effect."""
        command_id = str(uuid.uuid4())
        headers = {
            "ce_specversion": "1.0",
            "ce_id": command_id,
            "ce_type": f"pipeloom.{command}.v1",
            "ce_source": "/examples",
            "ce_environment": ENVIRONMENT,
            "ce_actor": "an-example",
        }
        await self._producer.send_and_wait(
            f"{PREFIX}.commands",
            key=ENVIRONMENT.encode(),
            value=json.dumps(data).encode(),
            headers=[(name, value.encode()) for name, value in headers.items()],
        )
        return command_id

    async def event(self, **wanted: str) -> tuple[str, Any]:
        """Return type and data of the first event with these headers. Raises TimeoutError when there is none."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                record: ConsumerRecord = await self._consumer.getone()
                headers = {name: value.decode() for name, value in record.headers}
                if all(headers.get(f"ce_{name}") == value for name, value in wanted.items()):
                    return headers["ce_type"], json.loads(record.value)

    async def result(self, command_id: str) -> tuple[str, Any]:
        """Return what became of a command."""
        return await self.event(commandid=command_id, result="true")


async def main() -> None:
    """Ask for a step and a pipeline, show how a rejection looks, and ask for the deletion of both."""
    consumer = AIOKafkaConsumer(
        f"{PREFIX}.events",
        bootstrap_servers=SERVERS,
        auto_offset_reset="latest",
        isolation_level="read_committed",  # the relay publishes in transactions
    )
    producer = AIOKafkaProducer(bootstrap_servers=SERVERS, acks="all", enable_idempotence=True)
    async with consumer, producer:
        await consumer.seek_to_end()  # only what comes from here on
        mark = secrets.token_hex(3)  # so that two runs never meet
        with step_repository() as repository:
            await compose(Door(producer, consumer), f"predict-{mark}", f"churn-{mark}", str(repository))


async def compose(door: Door, step: str, pipeline: str, repository: str) -> None:
    """Take a step and a pipeline through their lives."""
    await door.ask(
        "StepRequested",
        step_name=step,
        function_path=FUNCTION_PATH,
        function_name=FUNCTION_NAME,
        inputs=INPUTS,
        outputs=OUTPUTS,
        container_config={"repository_url": repository},
    )
    try:
        # The command's own result is StepCreated. What the builder found comes later, under a command of the builder.
        kind, _ = await door.event(subject=f"steps/{step}", commandsource="/pipeloom/builder")
        print(f"The step {step}: {kind}")
        asked = {"pipeline_name": pipeline, "step_names": [step]}
        kind, data = await door.result(await door.ask("PipelineRequested", **asked))
        print(f"The pipeline {pipeline}: {kind}, with {len(data['pipeline']['inputs'])} inputs")
        kind, data = await door.result(await door.ask("PipelineRequested", **asked))
        print(f"The same again: {kind}, {data['code']}")
    finally:
        deletion = await door.ask("StepDeleteRequested", step_name=step, force_dependents_deletion=True)
        kind, data = await door.result(deletion)
        print(f"The step {step}: {kind}, with the pipelines {data['pipelines']}")


if __name__ == "__main__":
    asyncio.run(main())

"""A monitor as a process of its own, on real Kafka and Postgres; commands and results are written here."""

import asyncio
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
import httpx
import pytest
from aiokafka import TopicPartition

from events.codec import encode_command, encode_event, read_attributes
from events.commands import CommandData
from events.envelope import Command, Event, Position
from events.topics import ACTIVITY_TOPIC
from pipeloom.local.ports import pick_port
from services.kit.kafka import count_partitions, reader, transactional_producer
from services.kit.postgres import connect
from services.kit.settings import Settings
from tests.support.installation import Log, command, unique
from tests.support.services import eventually

WAIT_S = 40.0
STOP_S = 15.0
REFUSED = '{"command_type": "PipelineRequested", "code": "pipeline_exists"}'


@dataclass
class Process:
    """A running monitor."""

    process: asyncio.subprocess.Process
    health_port: int

    async def kill(self) -> None:
        self.process.kill()
        await self.process.wait()

    async def is_ready(self) -> bool:
        async with httpx.AsyncClient() as http:
            try:
                return (await http.get(f"http://127.0.0.1:{self.health_port}/readyz")).is_success
            except httpx.HTTPError:
                return False

    async def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(self.process.wait(), STOP_S)


class Asked(NamedTuple):
    """A command and its place."""

    partition: int
    offset: int
    command: Command


@dataclass
class Watchtower:
    """What surrounds a monitor."""

    settings: Settings
    log: Log
    folder: Path
    group: str = field(default_factory=lambda: unique("monitor"))
    overdue_after_s: float = 3600.0
    every_s: float = 0.3
    sequences: Counter[str] = field(default_factory=Counter)

    def environment(self, port: int, group: str | None = None, instance: str = "test") -> dict[str, str]:
        kafka, postgres = self.settings.kafka, self.settings.postgres
        return {
            **os.environ,
            "PIPELOOM_KAFKA__BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
            "PIPELOOM_KAFKA__TOPIC_PREFIX": kafka.topic_prefix,
            "PIPELOOM_POSTGRES__DSN": postgres.dsn.get_secret_value(),
            "PIPELOOM_HEALTH__PORT": str(port),
            "PIPELOOM_MONITOR__GROUP_ID": group or self.group,
            "PIPELOOM_MONITOR__INSTANCE_ID": instance,
            "PIPELOOM_MONITOR__EVERY_S": str(self.every_s),
            "PIPELOOM_MONITOR__OVERDUE_AFTER_S": str(self.overdue_after_s),
        }

    async def start(self, group: str | None = None, instance: str = "test") -> Process:
        port = pick_port()
        with (self.folder / "monitor.log").open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "services.monitor",
                env=self.environment(port, group, instance),
                stdout=output,
                stderr=output,
            )
        return Process(process, port)

    @asynccontextmanager
    async def watching(self, group: str | None = None, instance: str = "test") -> AsyncIterator[Process]:
        running = await self.start(group, instance)
        try:
            yield running
        finally:
            if running.process.returncode is None:
                await running.kill()

    async def ask(self, environment: str, data: CommandData) -> Asked:
        """Write a command."""
        asked = command(environment, data)
        record = encode_command(asked)
        sent = await self.log.producer.send_and_wait(
            self.log.commands_topic, record.value, key=record.key, headers=record.headers
        )
        return Asked(sent.partition, sent.offset, asked)

    async def answer(self, *answers: Asked, refused: Collection[UUID] = ()) -> None:
        """Write the results of commands, in one transaction for each partition, as the relay does."""
        for partition in sorted({partition for partition, _, _ in answers}):
            producer = transactional_producer(self.settings.kafka, f"{self.log.events_topic}-{partition}")
            await producer.start()
            try:
                async with producer.transaction():
                    for asked in [each for each in answers if each.partition == partition]:
                        self.sequences[asked.command.environment] += 1
                        record = encode_event(
                            result(
                                asked,
                                self.sequences[asked.command.environment],
                                is_refused=asked.command.id in refused,
                            )
                        )
                        await producer.send(
                            self.log.events_topic,
                            record.value,
                            key=record.key,
                            headers=record.headers,
                            partition=partition,
                        )
            finally:
                await producer.stop()

    async def rows(self, query: str) -> list[asyncpg.Record]:
        connection = await connect(self.settings.postgres)
        try:
            return list(await connection.fetch(query))
        finally:
            await connection.close()

    async def execute(self, statement: str) -> None:
        connection = await connect(self.settings.postgres)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    async def decide(self, partition: int, next_offset: int) -> None:
        """Stand the composer's cursor behind a command, as a save does."""
        await self.execute(
            "INSERT INTO partition_cursor (topic, partition, topic_id, epoch, next_offset, owner) "
            f"VALUES ('{self.log.commands_topic}', {partition}, '{UUID(int=0)}', 1, {next_offset}, 'test')"
        )

    async def documents(self) -> dict[tuple[str, int], Any]:
        """Return what is told of each environment, with its results, refusals and histograms by minute."""
        rows = await self.rows(
            "SELECT a.*, (SELECT json_object_agg(minute, tallies::json) FROM activity_minute m "
            "WHERE m.environment = a.environment AND m.partition = a.partition) AS minutes FROM activity a"
        )
        return {
            (row["environment"], row["partition"]): {
                **json.loads(row["document"]),
                "minutes": json.loads(row["minutes"] or "{}"),
            }
            for row in rows
        }

    async def complete(self, since: datetime | None = None) -> None:
        """Wait until all partitions are complete up to now, whatever monitor says so."""
        moment = since or datetime.now(UTC)

        async def is_complete() -> bool:
            rows = await self.rows("SELECT as_of FROM activity_progress")
            return len(rows) == self.settings.kafka.partitions and all(row["as_of"] > moment for row in rows)

        await eventually(is_complete, WAIT_S)

    async def notices(self) -> list[dict[str, str]]:
        """Return the attributes of what is on the activity topic."""
        topic = ACTIVITY_TOPIC.name(self.settings.kafka.topic_prefix)
        consumer = reader(self.settings.kafka)
        await consumer.start()
        try:
            partitions = [
                TopicPartition(topic, each) for each in range(await count_partitions(self.settings.kafka, topic))
            ]
            consumer.assign(partitions)
            await consumer.seek_to_beginning(*partitions)
            ends, found = await consumer.end_offsets(partitions), []
            while any([await consumer.position(each) < ends[each] for each in partitions]):
                for records in (await consumer.getmany(timeout_ms=100)).values():
                    found += [read_attributes(record.headers) for record in records]
            return found
        finally:
            await consumer.stop()


def result(asked: Asked, sequence: int, *, is_refused: bool) -> Event:
    """Return the result of a command, as the composer logs it."""
    name = asked.command.type.replace("DeleteRequested", "Deleted").replace("Requested", "Created")
    return Event(
        partition=asked.partition,
        position=Position(asked.offset, 0),
        environment=asked.command.environment,
        sequence=sequence,
        type="CommandRejected" if is_refused else name,
        version=1,
        subject="pipelines/churn",
        command_id=asked.command.id,
        command_source="/tests",
        is_result=True,
        actor="test",
        time=asked.command.time,
        data=REFUSED if is_refused else "{}",
    )


@pytest.fixture
def watchtower(installation: Settings, log: Log, tmp_path: Path) -> Watchtower:
    return Watchtower(installation, log, tmp_path)

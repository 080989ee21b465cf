"""The writing side alone: embedded Kafka and Postgres, one composer and one relay, and a producer of commands."""

import asyncio
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
from pydantic import SecretStr

from benchmarks.children import child
from events.codec import encode_command
from events.commands import CommandData, PipelineRequested, StepBuildReported, StepRequested
from events.envelope import Command, timestamp
from events.topics import COMMANDS_TOPIC
from pipeloom.local.environment import Addresses, service_environment
from pipeloom.local.kafka import EmbeddedKafka
from pipeloom.local.postgres import EmbeddedPostgres
from services.admin.control import create_environment
from services.kit.kafka import idempotent_producer
from services.kit.settings import KafkaSettings, PostgresSettings

STEP = "train"
PREPARE_S = 60
# The composer stands still while commands are produced; its group must not take it for dead.
SESSION_MS = 60_000


@dataclass(frozen=True)
class Writers:
    """Where the servers are, and the processes of the composer and the relay."""

    kafka: KafkaSettings
    dsn: str
    kafka_pid: int
    postgres_pid: int
    processes: "Sequence[subprocess.Popen[str]]"

    @property
    def pids(self) -> tuple[int, ...]:
        """All processes that work."""
        return (*(each.pid for each in self.processes), self.kafka_pid, self.postgres_pid)

    def pause(self) -> None:
        """Let commands pile up."""
        for each in self.processes:
            os.kill(each.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Let the composer and the relay work again."""
        for each in self.processes:
            os.kill(each.pid, signal.SIGCONT)


@asynccontextmanager
async def writers(folder: Path, environments: Sequence[str]) -> AsyncIterator[Writers]:
    """Run the servers, a composer and a relay inside the block; each environment has a Ready step."""
    kafka, postgres = EmbeddedKafka(folder / "kafka"), EmbeddedPostgres(folder / "postgres")
    async with AsyncExitStack() as stack:
        stack.push_async_callback(kafka.stop)
        stack.push_async_callback(postgres.stop)
        await asyncio.gather(kafka.start(), postgres.start())
        env = service_environment(folder, Addresses(0, kafka.bootstrap_servers, postgres.dsn()))
        env["PIPELOOM_COMPOSER__SESSION_TIMEOUT_MS"] = str(SESSION_MS)
        await asyncio.to_thread(_run, ["-m", "services.init"], env, folder / "init.log")
        await _make_environments(PostgresSettings(dsn=SecretStr(postgres.dsn())), environments)
        processes = [
            stack.enter_context(child(name, ["-m", f"services.{name}"], folder / f"{name}.log", env))
            for name in ("composer", "relay")
        ]
        settings = KafkaSettings(bootstrap_servers=kafka.bootstrap_servers)
        await produce(settings, [each for environment in environments for each in _ready_step(environment)])
        yield Writers(settings, postgres.dsn(), kafka.pid, postgres.pid, processes)


def _run(argv: Sequence[str], env: dict[str, str], log_file: Path) -> None:
    with log_file.open("ab") as log:
        subprocess.run([sys.executable, *argv], env=env, stdout=log, stderr=log, check=True, timeout=PREPARE_S)


async def _make_environments(postgres: PostgresSettings, environments: Sequence[str]) -> None:
    connection = await asyncpg.connect(postgres.dsn.get_secret_value())
    try:
        for environment in environments:
            await create_environment(connection, environment)
    finally:
        await connection.close()


def command(environment: str, data: CommandData) -> Command:
    """Return a command as a plain Kafka producer asks it."""
    now = timestamp(datetime.now(UTC))
    return Command(
        id=uuid.uuid4(), environment=environment, actor="benchmark", source="/benchmarks", time=now, data=data
    )


def _ready_step(environment: str) -> tuple[Command, Command]:
    step = command(environment, StepRequested(step_name=STEP, function_path="a.py", function_name="f"))
    report = StepBuildReported(step_name=STEP, requested_by=str(step.id), outcome="ready")
    return step, command(environment, report)


def creations(environments: Sequence[str], prefix: str, number: int) -> list[Command]:
    """Return commands for new pipelines, one environment after the other in turn."""
    return [
        command(
            environments[each % len(environments)],
            PipelineRequested(pipeline_name=f"{prefix}-{each:06d}", step_names=[STEP]),
        )
        for each in range(number)
    ]


async def produce(kafka: KafkaSettings, commands: Sequence[Command]) -> dict[int, int]:
    """Have Kafka acknowledge all commands; return partition → the last one's offset."""
    topic = COMMANDS_TOPIC.name(kafka.topic_prefix)
    producer = idempotent_producer(kafka)
    await producer.start()
    try:
        records = [encode_command(each) for each in commands]
        sent = [await producer.send(topic, each.value, key=each.key, headers=each.headers) for each in records]
        last: dict[int, int] = {}
        for each in sent:
            placed = await each
            last[placed.partition] = max(last.get(placed.partition, -1), placed.offset)
        return last
    finally:
        await producer.stop()

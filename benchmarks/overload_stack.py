"""A local Pipeloom for the measurement: a folder of its own, and environments on partitions that are known."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from aiokafka import AIOKafkaConsumer, TopicPartition
from pydantic import SecretStr
from rich.console import Console

from benchmarks.overload_noise import STEP
from events.topics import COMMANDS_TOPIC
from pipeloom.client import AsyncClient
from pipeloom.demo import source
from pipeloom.local.console import progress_on
from pipeloom.local.environment import settle_environment
from pipeloom.local.ports import pick_port
from pipeloom.local.stack import LocalStack
from services.admin.control import create_environment, create_token, create_user
from services.kit.partitions import partition_of
from services.kit.postgres import connect
from services.kit.settings import PostgresSettings, load_settings

NEXT_OFFSET = "SELECT next_offset FROM partition_cursor WHERE topic = $1 AND partition = $2"


@dataclass(frozen=True)
class Tenant:
    """An environment, the partition that it lives on, and an access token for it."""

    environment: str
    partition: int
    token: str


class Stack:
    """The running product, and what is made on it."""

    def __init__(self, stack: LocalStack, folder: Path) -> None:
        self._postgres = PostgresSettings(dsn=SecretStr(stack.addresses.postgres))
        self._source = folder / "source"
        self._url = stack.addresses.url
        self.port = stack.addresses.http_port
        self.kafka = stack.addresses.kafka

    async def tenant(self, prefix: str, partitions: Collection[int]) -> Tenant:
        """Make an environment on one of `partitions`, with a step that is Ready."""
        number = load_settings().kafka.partitions
        environment = next(
            name for name in (f"{prefix}-{at}" for at in range(10_000)) if partition_of(name, number) in partitions
        )
        connection = await connect(self._postgres)
        try:
            await create_environment(connection, environment)
            await create_user(connection, environment, f"{environment}@example.org")
            sdk_token = (await create_token(connection, environment, environment))["sdk_token"]
        finally:
            await connection.close()
        await self._make_step(sdk_token)
        async with httpx.AsyncClient(base_url=self._url, trust_env=False) as http:
            answer = await http.post("/api/v1/auth/refresh", json={"refresh_token": sdk_token})
        return Tenant(environment, partition_of(environment, number), answer.json()["access_token"])

    async def _make_step(self, sdk_token: str) -> None:
        config = {"repository_url": str(self._source), "repository_branch": source.BRANCH}
        async with AsyncClient(self._url, sdk_token) as client:
            await client.create_step(
                STEP,
                source.FUNCTION_PATH,
                source.FUNCTION_NAME,
                container_config=config,
                inputs=source.INPUTS,
                outputs=source.OUTPUTS,
            )

    async def undecided(self, partition: int) -> int:
        """Return how many records of a partition the composer has not decided yet."""
        topic = COMMANDS_TOPIC.name(load_settings().kafka.topic_prefix)
        where = TopicPartition(topic, partition)
        async with _reading(self.kafka) as consumer:
            end = (await consumer.end_offsets([where]))[where]
        connection = await connect(self._postgres)
        try:
            return int(end - (await connection.fetchval(NEXT_OFFSET, topic, partition) or 0))
        finally:
            await connection.close()


@asynccontextmanager
async def _reading(bootstrap: str) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap)
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()


@asynccontextmanager
async def open_stack(console: Console) -> AsyncIterator[Stack]:
    """Run the product for the length of the block."""
    settle_environment()
    progress = progress_on(console)
    with tempfile.TemporaryDirectory(prefix="pipeloom-overload-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        await asyncio.to_thread(source.make_repository, folder / "data" / "source")
        stack = LocalStack(folder / "data", http_port=pick_port(), report=progress)
        try:
            await stack.start()
        finally:
            progress.settle()
        watching = asyncio.create_task(stack.watch())
        try:
            yield Stack(stack, folder / "data")
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            await stack.stop()

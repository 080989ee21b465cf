"""Real Kafka and Postgres for the tests: configured ones, else containers where Docker answers, else embedded ones."""

import asyncio
import shutil
import subprocess
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from pipeloom.local.environment import KAFKA_SETTING as KAFKA_SETTING
from pipeloom.local.environment import POSTGRES_SETTING as POSTGRES_SETTING
from pipeloom.local.environment import configured
from pipeloom.local.kafka import EmbeddedKafka
from pipeloom.local.postgres import EmbeddedPostgres

KAFKA_IMAGE = "apache/kafka:4.3.1"
POSTGRES_IMAGE = "postgres:18"


@dataclass(frozen=True)
class Servers:
    """Where the servers are; `dsn` names a database whose user may create others."""

    bootstrap_servers: str
    dsn: str

    async def new_database(self) -> str:
        """Create an empty database of a unique name and return its DSN."""
        name = f"test_{uuid.uuid4().hex}"
        connection = await asyncpg.connect(self.dsn)
        try:
            await connection.execute(f'CREATE DATABASE "{name}"')
        finally:
            await connection.close()
        return urlunsplit(urlsplit(self.dsn)._replace(path=f"/{name}"))


@asynccontextmanager
async def open_servers(folder: Path) -> AsyncIterator[Servers]:
    """Give servers for the length of the block; embedded ones keep their data under `folder`."""
    kafka, postgres = configured(KAFKA_SETTING), configured(POSTGRES_SETTING)
    if kafka and postgres:
        yield Servers(kafka, postgres)
    elif _docker_answers():
        async with _containers() as servers:
            yield servers
    else:
        async with _embedded(folder) as servers:
            yield servers


@asynccontextmanager
async def _embedded(folder: Path) -> AsyncIterator[Servers]:
    kafka, postgres = EmbeddedKafka(folder / "kafka"), EmbeddedPostgres(folder / "postgres")
    async with AsyncExitStack() as stack:
        stack.push_async_callback(kafka.stop)
        stack.push_async_callback(postgres.stop)
        await asyncio.gather(kafka.start(), postgres.start())
        yield Servers(kafka.bootstrap_servers, postgres.dsn())


@asynccontextmanager
async def _containers() -> AsyncIterator[Servers]:
    from testcontainers.kafka import KafkaContainer
    from testcontainers.postgres import PostgresContainer

    kafka, postgres = KafkaContainer(KAFKA_IMAGE), PostgresContainer(POSTGRES_IMAGE)
    try:
        await asyncio.gather(asyncio.to_thread(kafka.start), asyncio.to_thread(postgres.start))
        dsn = postgres.get_connection_url(driver=None)
        yield Servers(kafka.get_bootstrap_server(), dsn)
    finally:
        await asyncio.gather(asyncio.to_thread(kafka.stop), asyncio.to_thread(postgres.stop))


def _docker_answers() -> bool:
    program = shutil.which("docker")
    if program is None:
        return False
    asked = subprocess.run([program, "version"], capture_output=True, check=False, timeout=10)
    return asked.returncode == 0

"""Installations of different sizes on one Kafka and one Postgres, each with composer, relay and gateway of its own."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import httpx
from pydantic import SecretStr

from benchmarks.seeding import Advance, Shape, open_connection, seed
from events.topics import COMMANDS_TOPIC
from pipeloom.local.kafka import EmbeddedKafka
from pipeloom.local.ports import HOST, pick_port
from pipeloom.local.postgres import EmbeddedPostgres
from services.admin.control import create_token, create_user
from services.kit.kafka import ensure_topics
from services.kit.migrations import migrate
from services.kit.sealing import ensure_secrets_key
from services.kit.settings import AuthSettings, KafkaSettings, PostgresSettings, Settings
from services.kit.signing_keys import ensure_signing_key
from services.kit.topic_id import topic_id

SERVICES = ("composer", "relay", "gateway")
READY_S = 180.0
POLL_S = 0.1
STOP_S = 20.0
USER = "grower"


@dataclass(frozen=True)
class Servers:
    """Where Kafka and Postgres are."""

    kafka: EmbeddedKafka
    postgres: EmbeddedPostgres

    async def new_database(self, name: str) -> str:
        """Create a database and return its address."""
        await self.postgres.ensure_database(name)
        return urlunsplit(urlsplit(self.postgres.dsn())._replace(path=f"/{name}"))


@dataclass(frozen=True)
class Installation:
    """A prepared installation that holds so many pipelines, and where its API will be."""

    shape: Shape
    settings: Settings
    sdk_token: str
    events: int

    @property
    def name(self) -> str:
        many = f" in {self.shape.environments:,} environments" if self.shape.environments > 1 else ""
        return f"{self.shape.pipelines:,}{many}"

    @property
    def environment(self) -> str:
        """The environment that is asked: the one in the middle."""
        return self.shape.environment_ids[self.shape.environments // 2]

    @property
    def port(self) -> int:
        return self.settings.http.port


@asynccontextmanager
async def open_servers(folder: Path) -> AsyncIterator[Servers]:
    """Run Kafka and Postgres for the length of the block; their data lie under `folder`."""
    servers = Servers(EmbeddedKafka(folder / "kafka"), EmbeddedPostgres(folder / "postgres"))
    async with AsyncExitStack() as stack:
        stack.push_async_callback(servers.kafka.stop)
        stack.push_async_callback(servers.postgres.stop)
        await asyncio.gather(servers.kafka.start(), servers.postgres.start())
        yield servers


async def prepare(servers: Servers, folder: Path, shape: Shape, advance: Advance) -> Installation:
    """Return an installation with everything of that shape in it; one that an earlier run has left is gone on with."""
    name = f"grown_{shape.pipelines}_{shape.environments}"
    settings = Settings(
        kafka=KafkaSettings(bootstrap_servers=servers.kafka.bootstrap_servers, topic_prefix=name),
        postgres=PostgresSettings(dsn=SecretStr(await servers.new_database(name))),
        auth=AuthSettings(signing_key_file=folder / name / "signing-key.pem"),
    )
    settings.secrets.key_file = folder / name / "secrets.key"
    settings.http.port = pick_port()
    await asyncio.to_thread(migrate, settings.postgres)
    await ensure_topics(settings.kafka)
    ensure_signing_key(settings.auth.signing_key_file)
    ensure_secrets_key(settings.secrets.key_file)
    commands = COMMANDS_TOPIC.name(settings.kafka.topic_prefix)
    connection = await open_connection(settings.postgres.dsn.get_secret_value())
    try:
        if not await connection.fetchval("SELECT EXISTS (SELECT FROM partition_cursor)"):
            await seed(connection, shape, commands, await topic_id(settings.kafka, commands), advance)
        events = await connection.fetchval("SELECT count(*) FROM event_log")
        installation = Installation(shape, settings, "", events)
        if not await connection.fetchval("SELECT EXISTS (SELECT FROM app_user)"):
            await create_user(connection, USER, None)
        token = await create_token(connection, installation.environment, USER)
    finally:
        await connection.close()
    return Installation(shape, settings, token["sdk_token"], events)


@asynccontextmanager
async def running(installation: Installation, folder: Path) -> AsyncIterator[list[int]]:
    """Run the services of an installation for the length of the block; give their pids once its API is ready."""
    home = folder / installation.settings.kafka.topic_prefix
    started: list[Process] = []
    try:
        for service in SERVICES:
            with (home / f"{service}.log").open("wb") as log:
                process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", f"services.{service}"),
                    env={**os.environ, **_variables(installation.settings, home)},
                    stdout=log,
                    stderr=log,
                )
            started.append(process)
        await _until_ready(installation)
        yield [process.pid for process in started]
    finally:
        await asyncio.gather(*map(_stop, started))


def _variables(settings: Settings, home: Path) -> dict[str, str]:
    return {
        "PIPELOOM_KAFKA__BOOTSTRAP_SERVERS": settings.kafka.bootstrap_servers,
        "PIPELOOM_KAFKA__TOPIC_PREFIX": settings.kafka.topic_prefix,
        "PIPELOOM_POSTGRES__DSN": settings.postgres.dsn.get_secret_value(),
        "PIPELOOM_HTTP__PORT": str(settings.http.port),
        "PIPELOOM_AUTH__SIGNING_KEY_FILE": str(settings.auth.signing_key_file),
        "PIPELOOM_SECRETS__KEY_FILE": str(settings.secrets.key_file),
        "PIPELOOM_OBJECTS__LOCATION": str(home / "objects"),
        "PIPELOOM_HEALTH__PORT": str(pick_port()),
    }


async def _until_ready(installation: Installation) -> None:
    async with asyncio.timeout(READY_S), httpx.AsyncClient(base_url=f"http://{HOST}:{installation.port}") as http:
        while True:
            try:
                if (await http.get("/readyz")).is_success:
                    return
            except httpx.TransportError:
                pass  # it does not listen yet
            await asyncio.sleep(POLL_S)


async def _stop(process: Process) -> None:
    if process.returncode is None:
        process.send_signal(signal.SIGTERM)
    try:
        await asyncio.wait_for(process.wait(), STOP_S)
    except TimeoutError:
        process.kill()
        await process.wait()

"""All that runs: servers, proxies, our processes, and users in environments of their own."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pipeloom.demo.source import make_repository
from pipeloom.local.ports import HOST, pick_port
from pipeloom.local.postgres import EmbeddedPostgres
from services.kit.partitions import partition_of
from services.kit.postgres import connect
from services.kit.settings import KafkaSettings, Settings
from tests.chaos.harness import audit
from tests.chaos.harness.disks import Disk, why_no_disks
from tests.chaos.harness.parts import Part
from tests.chaos.harness.plan import GATEWAYS, KINDS, PARTS, SESSION_S
from tests.chaos.harness.proxy import Proxy
from tests.chaos.harness.servers import LARGE, Kept, ProxiedKafka, through
from tests.support.installation import Member, new_installation, new_member, unique
from tests.support.servers import Servers

PARTITIONS = 4
READY_S = 90.0
EXTRA = ("composer-4", "composer-5")
# These keep their name in the group over restarts; the other composers are new members each time.
LASTING = ("composer-1", "composer-2")
# Little is written ahead, and none of its files is used again: its disk is memory, and a full one is felt at once.
LITTLE_WAL = ("wal_recycle = off", "min_wal_size = '32MB'", "max_wal_size = '128MB'")
CREATE_USER = "CREATE ROLE \"{user}\" LOGIN SUPERUSER PASSWORD '{password}'"


@dataclass(frozen=True)
class World:
    """Where everything is. `settings` leads past the proxies; clients and processes go through them."""

    folder: Path
    settings: Settings
    kafka: Kept
    postgres: Kept
    proxies: Mapping[str, Proxy]
    parts: Mapping[str, Part]
    members: list[Member]
    repository: str
    extra: Mapping[str, Part] = field(default_factory=dict)
    disks: Mapping[str, Disk] = field(default_factory=dict)
    why_no_disks: str = ""

    @property
    def urls(self) -> list[str]:
        """The addresses of the gateways, by way of their proxies."""
        return [f"http://{HOST}:{self.proxies[f'http/{name}'].port}" for name in GATEWAYS]

    @property
    def kafka_for_clients(self) -> KafkaSettings:
        address = f"{HOST}:{self.proxies['kafka/clients'].port}"
        return self.settings.kafka.model_copy(update={"bootstrap_servers": address})


@asynccontextmanager
async def open_world(folder: Path) -> AsyncIterator[World]:
    """Give a world in which every process is up, for the length of the block."""
    async with AsyncExitStack() as stack:
        disks, why = await _mounted(folder, stack)
        servers = ProxiedKafka(folder / "kafka", (*KINDS, "clients"), folder / "logs" / "kafka.log")
        kafka = Kept(servers)
        database = EmbeddedPostgres(folder / "postgres", log_file=folder / "logs" / "postgres.log")
        postgres = Kept(database)
        for server in (kafka, postgres):
            stack.push_async_callback(server.stop)
        await asyncio.gather(kafka.start(), postgres.start())
        settings = await new_installation(Servers(servers.bootstrap_servers, database.dsn()), folder, PARTITIONS)
        members = [await new_member(settings.postgres, _environment_on(each)) for each in range(PARTITIONS)]
        proxies, http_ports = _proxies(servers, database)
        for proxy in proxies.values():
            await proxy.start()
            stack.push_async_callback(proxy.stop)
        await _prepare(settings)
        repository = folder / "repository"
        make_repository(repository)
        env = _Environment(folder, settings, proxies, http_ports)
        parts = {name: Part(name, env.of(name), folder / "logs") for name in (*PARTS, *EXTRA)}
        for part in parts.values():
            stack.push_async_callback(part.stop)
        for name in PARTS:
            await parts[name].start()
        if not all(await asyncio.gather(*(parts[name].is_up(READY_S, "readyz") for name in PARTS))):
            raise RuntimeError(f"not all of it is ready within {READY_S:g} s; the logs are in {folder / 'logs'}")
        extra = {name: parts.pop(name) for name in EXTRA}
        yield World(folder, settings, kafka, postgres, proxies, parts, members, str(repository), extra, disks, why)


async def _mounted(folder: Path, stack: AsyncExitStack) -> tuple[dict[str, Disk], str]:
    """Return a small disk for each server that has just been mounted, or none, and why."""
    why = why_no_disks()
    if why:
        return {}, why
    disks = {"kafka": Disk(folder / "kafka" / "data"), "postgres": Disk(folder / "postgres")}
    try:
        for disk in disks.values():
            await disk.mount()
            stack.push_async_callback(disk.keep)
    except OSError as error:
        return {}, str(error)
    return disks, ""


def _environment_on(partition: int) -> str:
    """Return the id of a new environment that lives on a partition."""
    return next(each for each in iter(lambda: unique("env"), "") if partition_of(each, PARTITIONS) == partition)


def _proxies(kafka: ProxiedKafka, postgres: EmbeddedPostgres) -> tuple[dict[str, Proxy], dict[str, int]]:
    postgres_port = int(postgres.dsn().rpartition(":")[2].partition("/")[0])
    http_ports = {name: pick_port() for name in GATEWAYS}
    found = [
        *kafka.proxies.values(),
        *(Proxy(f"postgres/{kind}", postgres_port, LARGE) for kind in KINDS),
        *(Proxy(f"http/{name}", port) for name, port in http_ports.items()),
    ]
    return {proxy.name: proxy for proxy in found}, http_ports


async def _prepare(settings: Settings) -> None:
    """Let every process sign in as itself, and Postgres write down who moved a cursor."""
    dsn = settings.postgres.dsn.get_secret_value()
    password = dsn.partition("://")[2].partition(":")[2].rpartition("@")[0]
    connection = await connect(settings.postgres)
    try:
        for name in (*PARTS, *EXTRA):
            await connection.execute(CREATE_USER.format(user=name, password=password))
        for setting in LITTLE_WAL:
            await connection.execute(f"ALTER SYSTEM SET {setting}")
        await connection.execute("SELECT pg_reload_conf()")
        await audit.install(connection)
    finally:
        await connection.close()


class _Environment:
    """The variables that a process is started with."""

    def __init__(
        self, folder: Path, settings: Settings, proxies: Mapping[str, Proxy], http_ports: Mapping[str, int]
    ) -> None:
        self._folder = folder
        self._settings = settings
        self._proxies = proxies
        self._http_ports = http_ports

    def of(self, name: str) -> dict[str, str]:
        kind = name.rpartition("-")[0]
        link = kind if kind in KINDS else "others"
        dsn = self._settings.postgres.dsn.get_secret_value()
        own = {
            "PIPELOOM_KAFKA__BOOTSTRAP_SERVERS": f"{HOST}:{self._proxies[f'kafka/{link}'].port}",
            "PIPELOOM_POSTGRES__DSN": through(dsn, self._proxies[f"postgres/{link}"].port, name),
            "PIPELOOM_BUILDER__WORK_DIR": str(self._folder / name),
        }
        if name in LASTING:
            own["PIPELOOM_COMPOSER__INSTANCE_ID"] = name
        if name in self._http_ports:
            own["PIPELOOM_HTTP__PORT"] = str(self._http_ports[name])
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("PIPELOOM_")}
        return {**inherited, **self._shared(), **own}

    def _shared(self) -> dict[str, str]:
        return {
            "PYTHONUNBUFFERED": "1",
            "PIPELOOM_KAFKA__TOPIC_PREFIX": self._settings.kafka.topic_prefix,
            "PIPELOOM_KAFKA__PARTITIONS": str(self._settings.kafka.partitions),
            "PIPELOOM_AUTH__SIGNING_KEY_FILE": str(self._settings.auth.signing_key_file),
            "PIPELOOM_SECRETS__KEY_FILE": str(self._settings.secrets.key_file),
            "PIPELOOM_OBJECTS__LOCATION": self._settings.objects.location,
            "PIPELOOM_BUILDER__SOURCE_ROOTS": json.dumps([str(self._folder)]),
            "PIPELOOM_COMPOSER__SESSION_TIMEOUT_MS": str(int(SESSION_S * 1000)),
            "PIPELOOM_HTTP__RESULT_TIMEOUT_S": "10",
        }

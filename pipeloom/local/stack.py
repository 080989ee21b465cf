"""What `pipeloom up` runs: Kafka, Postgres, and the services on them."""

import asyncio
import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeloom.local.environment import (
    KAFKA_SETTING,
    POSTGRES_SETTING,
    Addresses,
    as_shell,
    client_environment,
    configured,
    service_environment,
)
from pipeloom.local.errors import LocalStackError, StartError
from pipeloom.local.kafka import EmbeddedKafka
from pipeloom.local.kafka_training import make_archive
from pipeloom.local.locks import StackLock
from pipeloom.local.ports import demand_port
from pipeloom.local.postgres import EmbeddedPostgres
from pipeloom.local.process import Command, fresh_log, output_of, run_to_end
from pipeloom.local.progress import Progress
from pipeloom.local.secret_files import write_private
from pipeloom.local.service import Service
from pipeloom.local.supervisor import Child, Supervisor

_STEP_TIMEOUT = 120.0
_STOP_WITHIN = 15.0


@dataclass(frozen=True)
class Programs:
    """The command lines of our own programs."""

    init: Sequence[str]
    bootstrap: Sequence[str]
    workers: Mapping[str, Sequence[str]]
    gateway: Sequence[str]


def _module(name: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", f"services.{name}", *arguments]


PROGRAMS = Programs(
    init=_module("init"),
    bootstrap=_module("admin", "bootstrap", "--environment", "demo", "--user", "demo"),
    workers={name: _module(name) for name in ("composer", "relay", "builder")},
    gateway=_module("gateway"),
)


class LocalStack:
    """The whole of Pipeloom on one data folder, which no other stack uses at the same time."""

    def __init__(
        self,
        data_dir: Path,
        *,
        http_port: int,
        report: Progress,
        kafka_port: int | None = None,
        postgres_port: int | None = None,
        programs: Programs = PROGRAMS,
    ) -> None:
        self.data_dir = data_dir.absolute()
        self._http_port = http_port
        self._report = report
        self._programs = programs
        self._lock = StackLock(self.data_dir)
        self._supervisor = Supervisor(report)
        self._kafka = None if configured(KAFKA_SETTING) else self._own_kafka(kafka_port)
        self._postgres = None if configured(POSTGRES_SETTING) else self._own_postgres(postgres_port)
        self._archiving: asyncio.Task[None] | None = None

    @property
    def log_dir(self) -> Path:
        """The folder with the log of each process."""
        return self.data_dir / "logs"

    @property
    def env_file(self) -> Path:
        """The file of variables for clients, there while the stack is ready."""
        return self.data_dir / "env"

    @property
    def addresses(self) -> Addresses:
        """Where everything is; known once Kafka and Postgres have started."""
        kafka = configured(KAFKA_SETTING) if self._kafka is None else self._kafka.bootstrap_servers
        postgres = configured(POSTGRES_SETTING) if self._postgres is None else self._postgres.dsn()
        return Addresses(self._http_port, kafka or "", postgres or "")

    async def start(self) -> None:
        """Return when every part is ready and the env file is written; leave nothing running otherwise."""
        self._lock.acquire()
        try:
            self.env_file.unlink(missing_ok=True)
            demand_port(self._http_port, "the HTTP API", "choose another one with --http-port or stop that program")
            await self._supervisor.start(self._servers())
            await self._start_services()
        except BaseException:
            await self.stop()
            raise

    async def watch(self) -> None:
        """Wait for ever while the parts are kept alive."""
        await self._supervisor.watch()

    async def stop(self) -> None:
        """Stop the parts in reverse order, within 15 seconds, and leave no process behind."""
        if self._lock.is_held:
            self.env_file.unlink(missing_ok=True)
        if self._archiving is not None:
            self._archiving.cancel()
            await asyncio.gather(self._archiving, return_exceptions=True)
        await self._supervisor.stop(_STOP_WITHIN)
        self._lock.release()

    def _own_kafka(self, port: int | None) -> EmbeddedKafka:
        return EmbeddedKafka(self.data_dir / "kafka", port=port, log_file=self.log_dir / "kafka.log")

    def _own_postgres(self, port: int | None) -> EmbeddedPostgres:
        return EmbeddedPostgres(self.data_dir / "postgres", port=port, log_file=self.log_dir / "postgres.log")

    def _servers(self) -> list[Child]:
        return [server for server in (self._kafka, self._postgres) if server is not None]

    async def _start_services(self) -> None:
        env = service_environment(self.data_dir, self.addresses)
        self._report.say("init", "preparing tables and topics")
        await run_to_end(self._step("init", self._programs.init, env), _STEP_TIMEOUT)
        sdk_token = await self._sdk_token(env)
        gateway_env = {**env, "PIPELOOM_HTTP__PORT": str(self._http_port)}
        workers = [self._service(name, argv, env) for name, argv in self._programs.workers.items()]
        gateway = self._service("gateway", self._programs.gateway, gateway_env)
        await self._supervisor.start(workers, [gateway])
        write_private(self.env_file, as_shell(client_environment(self.addresses, sdk_token)))
        if self._kafka is not None:
            self._archiving = asyncio.create_task(self._archive())

    def _service(self, name: str, argv: Sequence[str], env: Mapping[str, str]) -> Service:
        return Service(name, argv, env, self.log_dir / f"{name}.log")

    def _step(self, name: str, argv: Sequence[str], env: Mapping[str, str]) -> Command:
        return Command(name, argv, fresh_log(self.log_dir / f"{name}.log"), env=env)

    async def _sdk_token(self, env: Mapping[str, str]) -> str:
        """Return the token of the demo user, which the database gives away only once."""
        file = self._token_file()
        if not file.exists():
            self._report.say("bootstrap", "making the environment and the user `demo`")
            answer = await output_of(self._step("bootstrap", self._programs.bootstrap, env), _STEP_TIMEOUT)
            write_private(file, _token_in(answer) + "\n")
        return file.read_text().strip()

    def _token_file(self) -> Path:
        if self._postgres is not None:
            return self.data_dir / "sdk-token"
        database = hashlib.sha256(self.addresses.postgres.encode()).hexdigest()[:12]
        return self.data_dir / f"sdk-token-{database}"

    async def _archive(self) -> None:
        try:
            await make_archive(fresh_log(self.log_dir / "kafka-archive.log"))
        except (LocalStackError, OSError) as trouble:
            self._report.say("kafka", f"starts slower than it could: {trouble}")


def _token_in(answer: str) -> str:
    try:
        return str(json.loads(answer)["sdk_token"])
    except (ValueError, KeyError, TypeError):
        raise StartError("bootstrap did not print a JSON object with the key sdk_token.") from None

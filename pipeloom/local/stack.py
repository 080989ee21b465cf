"""What `pipeloom up` runs: Kafka, Postgres, and the services on them."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

from pipeloom.local.admin import FILE_NAME, AdminPorts
from pipeloom.local.environment import (
    HTTP_HOST_SETTING,
    KAFKA_SETTING,
    POSTGRES_SETTING,
    Addresses,
    as_shell,
    client_environment,
    configured,
    service_environment,
    signing_key_file,
    without_secrets,
)
from pipeloom.local.errors import LocalStackError, StartError
from pipeloom.local.forks import Forks
from pipeloom.local.kafka import EmbeddedKafka
from pipeloom.local.kafka_training import make_archive
from pipeloom.local.locks import StackLock
from pipeloom.local.ports import HOST, demand_port
from pipeloom.local.postgres import EmbeddedPostgres
from pipeloom.local.process import Command, fresh_log, output_of, run_to_end
from pipeloom.local.programs import PROGRAMS, Programs
from pipeloom.local.progress import Progress
from pipeloom.local.sdk_token import token_file, valid_token
from pipeloom.local.secret_files import write_private
from pipeloom.local.service import Service
from pipeloom.local.supervisor import Child, Supervisor
from services.kit.settings import UnusableSettingsError, load_settings
from services.kit.signing_keys import read_signing_keys, why_unusable

_STEP_TIMEOUT = 120.0
_STOP_WITHIN = 15.0


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
        admin_port: int | None = None,
        programs: Programs = PROGRAMS,
        forks: Forks | None = None,
    ) -> None:
        self.data_dir = data_dir.absolute()
        self._http_port = http_port
        self._report = report
        self._programs = programs
        self._forks = forks
        self._admin = AdminPorts(
            self.data_dir / FILE_NAME, ["gateway", *programs.workers, *programs.onlookers], admin_port
        )
        self._lock = StackLock(self.data_dir)
        self._supervisor = Supervisor(report)
        self._kafka = None if configured(KAFKA_SETTING) else self._own_kafka(kafka_port)
        self._postgres = None if configured(POSTGRES_SETTING) else self._own_postgres(postgres_port)
        self._archiving: asyncio.Task[None] | None = None
        self._env_is_written = False

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
        return Addresses(self._http_port, kafka or "", postgres or "", configured(HTTP_HOST_SETTING) or HOST)

    async def start(self) -> None:
        """Return when every part is ready and the env file is written; leave nothing running otherwise."""
        self._lock.acquire()
        try:
            self.env_file.unlink(missing_ok=True)
            self._demand_what_it_needs()
            self._say_which_servers()
            await self._supervisor.start(self._servers())
            await self._start_services()
        except OSError as trouble:
            await self.stop()
            raise StartError(
                f"It cannot start on {self.data_dir}: {trouble or repr(trouble)}. "
                "Mend that, or choose another folder with --data-dir."
            ) from trouble
        except BaseException:
            await self.stop()
            raise

    async def watch(self) -> None:
        """Wait for ever while the parts are kept alive."""
        await self._supervisor.watch()

    async def stop(self) -> None:
        """Stop the parts in reverse order, within 15 seconds, and leave no process behind."""
        if self._env_is_written:
            self._env_is_written = False
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

    def _demand_what_it_needs(self) -> None:
        """Refuse what would only be found out by a service that does not start."""
        try:
            load_settings()
        except UnusableSettingsError as error:
            raise StartError(f"{error}.") from error
        host = configured(HTTP_HOST_SETTING) or HOST
        remedy = "choose another one with --http-port or stop that program"
        if host != HOST:
            remedy += f", or change {HTTP_HOST_SETTING}"
        demand_port(self._http_port, "the HTTP API", remedy, host)
        self._admin.demand()
        _demand_usable_key(signing_key_file(self.data_dir))

    def _say_which_servers(self) -> None:
        for name, setting in (("kafka", KAFKA_SETTING), ("postgres", POSTGRES_SETTING)):
            configured_one = configured(setting)
            where = f"configured: {without_secrets(configured_one)} ({setting})" if configured_one else "embedded"
            self._report.say(name, where)

    async def _start_services(self) -> None:
        env = service_environment(self.data_dir, self.addresses)
        await self._prepare(env)
        gateway_env = {**env, "PIPELOOM_HTTP__PORT": str(self._http_port)}
        workers = [self._service(name, argv, env) for name, argv in self._programs.workers.items()]
        gateway = self._service("gateway", self._programs.gateway, gateway_env)
        await self._supervisor.start(workers, [gateway])
        onlookers = [self._service(name, argv, env) for name, argv in self._programs.onlookers.items()]
        self._supervisor.start_later(onlookers)
        file = token_file(self.data_dir, configured(POSTGRES_SETTING))
        sdk_token = await valid_token(file, self.addresses.url, lambda: self._bootstrap(env), self._report)
        self._env_is_written = True
        write_private(self.env_file, as_shell(client_environment(self.addresses, sdk_token)))
        if self._kafka is not None:
            self._archiving = asyncio.create_task(self._archive())

    async def _prepare(self, env: Mapping[str, str]) -> None:
        self._report.say("init", "preparing tables and topics")
        try:
            await run_to_end(self._step("init", self._programs.init, env), _STEP_TIMEOUT, self._report)
        except StartError as trouble:
            named = [setting for setting in (KAFKA_SETTING, POSTGRES_SETTING) if configured(setting)]
            if named:
                trouble.args = (f"{trouble}\n{_where_configured(named)}",)
            raise

    async def _bootstrap(self, env: Mapping[str, str]) -> str:
        return await output_of(self._step("bootstrap", self._programs.bootstrap, env), _STEP_TIMEOUT)

    def _service(self, name: str, argv: Sequence[str], env: Mapping[str, str]) -> Service:
        return Service(name, argv, env, self.log_dir / f"{name}.log", self._admin, self._forks)

    def _step(self, name: str, argv: Sequence[str], env: Mapping[str, str]) -> Command:
        return Command(name, argv, fresh_log(self.log_dir / f"{name}.log"), env=env, forks=self._forks)

    async def _archive(self) -> None:
        try:
            await make_archive(fresh_log(self.log_dir / "kafka-archive.log"))
        except (LocalStackError, OSError) as trouble:
            self._report.say("kafka", f"starts slower than it could: {trouble}")


def _demand_usable_key(file: Path) -> None:
    """Refuse a signing key that is none; `pipeloom init` makes a missing one."""
    try:
        read_signing_keys(file)
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:
        raise StartError(f"{why_unusable(file, error)}.") from error


def _where_configured(settings: Sequence[str]) -> str:
    named = f"{' and '.join(settings)} {'name' if len(settings) > 1 else 'names'}"
    return f"It uses the servers that {named}; `unset {' '.join(settings)}` for embedded ones instead."

"""Apache Kafka as a child process: one broker that is its own controller, on a folder and a port that stay."""

import os
import shutil
import signal
from collections.abc import Sequence
from pathlib import Path

from pipeloom.local.errors import EndedEarlyError, StartError
from pipeloom.local.kafka_archive import archive_file, archive_options
from pipeloom.local.kafka_config import broker_arguments, format_arguments, java_command, server_properties
from pipeloom.local.kafka_download import kafka_jars
from pipeloom.local.kafka_folder import is_prepared, keep_bootstrap, prepare
from pipeloom.local.kafka_probe import answers
from pipeloom.local.locks import sole_use
from pipeloom.local.ports import HOST, demand_port, previous_port, remember_port
from pipeloom.local.process import Command, ManagedProcess, fresh_log, run_to_end
from pipeloom.local.progress import SILENT, Progress

_FORMAT_TIMEOUT = 60.0
_READY_TIMEOUT = 60.0
_STOP_GRACE = 8.0
_CRASHES = (signal.SIGABRT, signal.SIGBUS, signal.SIGSEGV)
_KEPT_VARIABLES = ("PATH", "HOME", "LANG", "TZ")


class EmbeddedKafka:
    """A real broker on `data_dir`; `start` may be called again after it ended, by whatever cause."""

    name = "kafka"

    def __init__(self, data_dir: Path, *, port: int | None = None, log_file: Path | None = None) -> None:
        self._dir = data_dir.absolute()
        self._wanted_port = port
        self._log_file = log_file or self._dir / "kafka.log"
        self._port: int | None = None
        self._controller_port: int | None = None
        self._port_file = self._dir / "port"
        self._controller_port_file = self._dir / "controller-port"
        self._process: ManagedProcess | None = None

    @property
    def pid(self) -> int:
        """The process id of the broker."""
        return self._started().pid

    @property
    def bootstrap_servers(self) -> str:
        """The address for clients."""
        if self._port is None:
            raise StartError("Kafka has no address before its first start.")
        return f"{HOST}:{self._port}"

    async def start(self, report: Progress = SILENT) -> None:
        """Return when the broker answers clients; leave nothing running if that fails or is cancelled."""
        jars = await kafka_jars(report)
        async with sole_use(self._dir, "Kafka") as lock:
            if self._port is None:
                self._port = self._choose_port()
                fresh_log(self._log_file)
            properties = self._write_properties(self._port)
            try:
                await self._run(jars, properties, lock, report)
            except EndedEarlyError as end:
                if -end.code not in _CRASHES or not archive_file().exists():
                    raise
                archive_file().unlink()
                report.say(self.name, "crashed; trying again without the archive of its classes")
                await self._run(jars, properties, lock, report)

    async def wait(self) -> int:
        """Return the exit code of the broker once it has ended."""
        return await self._started().wait()

    def reason(self) -> str | None:
        """Return nothing: its log says why it ended."""
        return None

    async def stop(self, grace: float = _STOP_GRACE) -> None:
        """Shut the broker down; one that is not running is left as it is."""
        if self._process is not None:
            await self._process.stop(grace)

    def _started(self) -> ManagedProcess:
        if self._process is None:
            raise StartError("Kafka has not been started.")
        return self._process

    def _choose_port(self) -> int:
        if self._wanted_port is None:
            return previous_port(self._port_file)
        remedy = "choose another one with --kafka-port or stop that program"
        return demand_port(self._wanted_port, "Kafka", remedy)

    async def _run(self, jars: Sequence[Path], properties: Path, lock: int, report: Progress) -> None:
        data = self._dir / "data"
        if not is_prepared(data):
            report.say(self.name, "preparing a new data folder")
            if not prepare(data):
                await run_to_end(self._command(jars, format_arguments(properties), lock), _FORMAT_TIMEOUT)
                keep_bootstrap(data)
        report.say(self.name, f"starting on {self.bootstrap_servers}")
        self._process = await ManagedProcess.spawn(self._command(jars, broker_arguments(properties), lock))
        try:
            await self._process.wait_until(lambda: answers(self.bootstrap_servers), _READY_TIMEOUT, report)
            self._remember_ports()
        except BaseException:
            await self._process.kill()
            raise
        report.say(self.name, f"ready on {self.bootstrap_servers}")

    def _write_properties(self, port: int) -> Path:
        self._controller_port = previous_port(self._controller_port_file)
        file = self._dir / "server.properties"
        file.write_text(server_properties(self._dir / "data", port, self._controller_port))
        return file

    def _remember_ports(self) -> None:
        for file, port in ((self._port_file, self._port), (self._controller_port_file, self._controller_port)):
            if port is not None:
                remember_port(file, port)

    def _command(self, jars: Sequence[Path], arguments: Sequence[str], lock: int) -> Command:
        tmp_dir = self._dir / "tmp"
        shutil.rmtree(tmp_dir, ignore_errors=True)  # a killed broker leaves its unpacked libraries here
        tmp_dir.mkdir(parents=True)
        argv = java_command(jars, tmp_dir, self._java_options(main_class=arguments[0]), arguments)
        env = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
        return Command(self.name, argv, self._log_file, env=env, cwd=self._dir, inherited=(lock,))

    def _java_options(self, main_class: str) -> list[str]:  # noqa: ARG002 - a subclass tells them apart
        return archive_options()

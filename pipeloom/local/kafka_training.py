"""Makes the archive of the broker's classes: runs a broker once for nothing else."""

import dataclasses
import tempfile
from collections.abc import Sequence
from pathlib import Path

from pipeloom.local.errors import StartError
from pipeloom.local.kafka import EmbeddedKafka
from pipeloom.local.kafka_archive import archive_file
from pipeloom.local.kafka_config import BROKER
from pipeloom.local.process import Command
from pipeloom.local.progress import SILENT

_WRITE_TIMEOUT = 90.0


class _Trainee(EmbeddedKafka):
    """A broker that writes down, when it stops, which classes it has loaded; it gives way to all other work."""

    def __init__(self, data_dir: Path, output: Path, log_file: Path) -> None:
        super().__init__(data_dir, log_file=log_file)
        self._output = output

    def _command(self, jars: Sequence[Path], arguments: Sequence[str], lock: int) -> Command:
        command = super()._command(jars, arguments, lock)
        return dataclasses.replace(command, name="kafka-archive", argv=["nice", "-n", "19", *command.argv])

    def _java_options(self, main_class: str) -> list[str]:
        if main_class != BROKER:
            return []
        return [f"-XX:AOTCacheOutput={self._output}", "-Xlog:disable", "-Xlog:all=error:stderr"]


async def make_archive(log_file: Path) -> None:
    """Make the archive unless it is there; takes some seconds of one processor, and may be cancelled at any time."""
    target = archive_file()
    if target.exists():
        return
    with tempfile.TemporaryDirectory(prefix=".archive-", dir=target.parent, ignore_cleanup_errors=True) as scratch:
        output = Path(scratch) / target.name
        trainee = _Trainee(Path(scratch) / "broker", output, log_file)
        await trainee.start(SILENT)
        await trainee.stop(_WRITE_TIMEOUT)
        if not output.exists():
            raise StartError(f"Kafka did not write the archive of its classes; see {log_file}.")
        output.replace(target)

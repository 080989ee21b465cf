"""The jars of Apache Kafka: locked by checksum, fetched once, kept in the user's cache folder."""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeloom.local.errors import DownloadError

LOCK_FILE = Path(__file__).with_name("kafka.lock")


@dataclass(frozen=True)
class LockedJar:
    """One jar, named by its Maven coordinate and known by its sum."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def filename(self) -> str:
        """The name of the file in the cache folder."""
        return f"{self.artifact}-{self.version}.jar"

    def verify(self, file: Path, remedy: str) -> None:
        """Refuse a file that is not the one which was locked."""
        with file.open("rb") as content:
            actual = hashlib.file_digest(content, "sha256").hexdigest()
        if actual != self.sha256:
            raise DownloadError(
                f"{file} is not the file that Pipeloom was tested with: its sha256 is {actual}, "
                f"{LOCK_FILE.name} says {self.sha256}. {remedy}."
            )


def read_lock(file: Path = LOCK_FILE) -> list[LockedJar]:
    """Return the locked jars in the order of the class path."""
    rows = [line.split() for line in file.read_text().splitlines() if line and not line.startswith("#")]
    return [_locked(coordinate, sha256) for sha256, coordinate in rows]


def _locked(coordinate: str, sha256: str) -> LockedJar:
    group, artifact, version = coordinate.split(":")
    return LockedJar(group, artifact, version, sha256)


def cache_dir() -> Path:
    """Return the folder for what is fetched or built once for this user."""
    try:
        if chosen := os.environ.get("PIPELOOM_CACHE_DIR"):
            return Path(chosen).expanduser().absolute()
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").absolute() / "pipeloom"
    except RuntimeError as trouble:  # a user, or a home, that there is not
        raise DownloadError(f"There is no cache folder ({trouble}); set PIPELOOM_CACHE_DIR to one.") from trouble


def verify_all(jars: Sequence[LockedJar], folder: Path) -> None:
    """Refuse a cache folder with a jar that is not the locked one."""
    for jar in jars:
        jar.verify(folder / jar.filename, "Delete it and start again: it will be fetched anew")

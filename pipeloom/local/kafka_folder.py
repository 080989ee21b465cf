"""Prepares a broker's new data folder as Kafka's own tool does, without starting Java for it.

What the tool writes is the same for every folder but for two ids. So it runs once for these jars, and what it wrote is
kept in the cache folder.
"""

import base64
import hashlib
import shutil
import uuid
from pathlib import Path

from pipeloom.local.kafka_jars import LOCK_FILE, cache_dir

_BOOTSTRAP = "bootstrap.checkpoint"
_PROPERTIES = "meta.properties"


def is_prepared(data: Path) -> bool:
    """Tell whether a broker can start on this folder."""
    return (data / _PROPERTIES).exists()


def kept_bootstrap() -> Path:
    """Return the place of the kept first records of a cluster, for these jars."""
    return cache_dir() / "kafka" / f"bootstrap-{hashlib.sha256(LOCK_FILE.read_bytes()).hexdigest()[:16]}.checkpoint"


def keep_bootstrap(data: Path) -> None:
    """Keep what the tool has just written to this folder, for the next new one."""
    kept = kept_bootstrap()
    scratch = kept.with_name(f".{kept.name}.{uuid.uuid4().hex}")
    shutil.copyfile(data / _BOOTSTRAP, scratch)
    scratch.replace(kept)


def prepare(data: Path) -> bool:
    """Prepare this new folder, for a cluster with a new id; False when the tool has to, since nothing is kept yet."""
    if not kept_bootstrap().exists():
        return False
    data.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(kept_bootstrap(), data / _BOOTSTRAP)
    properties = {"cluster.id": new_id(), "directory.id": new_id(), "node.id": "1", "version": "1"}
    scratch = data / f"{_PROPERTIES}.new"
    scratch.write_text("".join(f"{name}={value}\n" for name, value in properties.items()))
    scratch.replace(data / _PROPERTIES)
    return True


def new_id() -> str:
    """Return an id as Kafka makes them: 16 random bytes; the tool takes one that begins with a dash for an option."""
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "_")

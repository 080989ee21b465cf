"""Fetches the jars of Apache Kafka from a Maven repository."""

import asyncio
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pipeloom.local.errors import DownloadError
from pipeloom.local.kafka_jars import LockedJar, cache_dir, read_lock, verify_all
from pipeloom.local.progress import Progress
from pipeloom.local.threads import in_daemon_thread

if TYPE_CHECKING:
    from jgo.maven import Artifact, MavenContext

_PARALLEL = 6
_ATTEMPTS = 3
_REQUEST_TIMEOUT = 20
_INSTEAD = "or set PIPELOOM_KAFKA__BOOTSTRAP_SERVERS to use a Kafka that you already have"


async def kafka_jars(report: Progress) -> list[Path]:
    """Return the verified jars of Kafka in class path order, fetching those that the cache lacks."""
    try:
        return await _cached_jars(report)
    except OSError as trouble:
        raise DownloadError(
            f"The folder {cache_dir()} for Apache Kafka cannot be used: {trouble}. "
            f"Set PIPELOOM_CACHE_DIR to a folder that you may write to, {_INSTEAD}."
        ) from trouble


async def _cached_jars(report: Progress) -> list[Path]:
    locked, folder = read_lock(), cache_dir() / "kafka"
    missing = [jar for jar in locked if not (folder / jar.filename).exists()]
    if missing:
        folder.mkdir(parents=True, exist_ok=True)
        report.say("kafka", f"downloading {len(missing)} files of Apache Kafka, once for this user")
        await fetch(missing, folder, report)
    await in_daemon_thread(partial(verify_all, locked, folder))
    return [folder / jar.filename for jar in locked]


async def fetch(jars: Sequence[LockedJar], folder: Path, report: Progress) -> None:
    """Put the jars into the folder, each one whole and verified or not at all."""
    slots = asyncio.Semaphore(_PARALLEL)
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder, ignore_cleanup_errors=True) as scratch:
        maven = await in_daemon_thread(partial(_maven, Path(scratch)))
        try:
            async with asyncio.TaskGroup() as group:
                downloads = [group.create_task(_fetch_one(maven, jar, folder, slots)) for jar in jars]
                for done, download in enumerate(asyncio.as_completed(downloads), start=1):
                    await download
                    report.advance("kafka", done, len(jars))
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None


async def _fetch_one(maven: "MavenContext", jar: LockedJar, folder: Path, slots: asyncio.Semaphore) -> None:
    async with slots:
        await in_daemon_thread(partial(_download, maven, jar, folder))


def _maven(scratch: Path) -> "MavenContext":
    from jgo.config import GlobalSettings  # an extra, and slow to import
    from jgo.constants import MAVEN_CENTRAL_URL
    from jgo.maven import MavenContext

    repositories = {**GlobalSettings.load().repositories, "central": MAVEN_CENTRAL_URL}
    return MavenContext(repo_cache=scratch, remote_repos=repositories, timeout=_REQUEST_TIMEOUT)


def _download(maven: "MavenContext", jar: LockedJar, folder: Path) -> None:
    artifact = maven.project(jar.group, jar.artifact).at_version(jar.version).artifact()
    for remaining in reversed(range(_ATTEMPTS)):
        try:
            fetched = Path(artifact.resolve())
            break
        except (OSError, RuntimeError) as trouble:  # a network's and a repository's way to say no
            _forget(artifact)
            if not remaining:
                raise DownloadError(
                    f"{jar.filename}, a part of Apache Kafka, could not be downloaded: {trouble}. "
                    f"Check the network and start again, {_INSTEAD}."
                ) from trouble
    jar.verify(fetched, f"It was not kept. Start again, {_INSTEAD}")
    fetched.replace(folder / jar.filename)


def _forget(artifact: "Artifact") -> None:
    """Remove a half of a file, which the resolver would take for the whole one."""
    if artifact.cached_path is not None:
        artifact.cached_path.unlink(missing_ok=True)

import functools
import hashlib
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pipeloom.local.errors import DownloadError
from pipeloom.local.kafka_download import fetch, kafka_jars
from pipeloom.local.kafka_jars import LockedJar
from pipeloom.local.ports import HOST, pick_port
from pipeloom.local.progress import SILENT

GOOD = LockedJar("org.example", "good", "1.0", hashlib.sha256(b"good").hexdigest())
ALSO_GOOD = LockedJar("org.example.sub", "fine", "2.1", hashlib.sha256(b"fine").hexdigest())
TAMPERED = LockedJar("org.example", "tampered", "1.0", hashlib.sha256(b"as tested").hexdigest())


class Counts:
    def __init__(self) -> None:
        self.seen: list[tuple[int, int]] = []

    def say(self, part: str, message: str) -> None:
        raise AssertionError("nothing is said here")

    def advance(self, part: str, done: int, total: int) -> None:
        self.seen.append((done, total))


class QuietFiles(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that is served as the only Maven repository."""
    root = tmp_path / "repository"
    root.mkdir()
    with ThreadingHTTPServer((HOST, 0), functools.partial(QuietFiles, directory=str(root))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setattr("jgo.constants.MAVEN_CENTRAL_URL", f"http://{HOST}:{server.server_port}")
        yield root
        server.shutdown()


def publish(root: Path, jar: LockedJar, content: bytes) -> None:
    folder = root.joinpath(*jar.group.split("."), jar.artifact, jar.version)
    folder.mkdir(parents=True)
    (folder / jar.filename).write_bytes(content)


async def test_missing_jars_are_fetched_and_counted(repository: Path, tmp_path: Path) -> None:
    publish(repository, GOOD, b"good")
    publish(repository, ALSO_GOOD, b"fine")
    cache, counts = tmp_path / "cache", Counts()
    cache.mkdir()

    await fetch([GOOD, ALSO_GOOD], cache, counts)

    assert {file.name: file.read_bytes() for file in cache.iterdir()} == {
        "good-1.0.jar": b"good",
        "fine-2.1.jar": b"fine",
    }
    assert counts.seen == [(1, 2), (2, 2)]


async def test_a_jar_that_is_not_the_locked_one_is_refused_and_not_kept(repository: Path, tmp_path: Path) -> None:
    publish(repository, TAMPERED, b"something else")
    cache = tmp_path / "cache"
    cache.mkdir()

    with pytest.raises(DownloadError, match=r"tampered-1.0.jar is not the file that Pipeloom was tested with"):
        await fetch([TAMPERED], cache, SILENT)

    assert list(cache.iterdir()) == []


@pytest.mark.usefixtures("repository")
async def test_a_jar_that_the_repository_lacks_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DownloadError) as refusal:
        await fetch([GOOD], tmp_path, SILENT)

    assert "good-1.0.jar, a part of Apache Kafka, could not be downloaded" in str(refusal.value)
    assert "PIPELOOM_KAFKA__BOOTSTRAP_SERVERS" in str(refusal.value)


async def test_an_unreachable_repository_is_refused_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jgo.constants.MAVEN_CENTRAL_URL", f"http://{HOST}:{pick_port()}")

    with pytest.raises(DownloadError, match=r"could not be downloaded.*Check the network"):
        await fetch([GOOD], tmp_path, SILENT)


@pytest.mark.parametrize("folder", ["a-file", "x" * 300, "~no-such-user/cache"])
async def test_a_cache_folder_that_cannot_be_one_is_refused_with_what_to_do(
    folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a-file").touch()
    monkeypatch.setenv("PIPELOOM_CACHE_DIR", folder if folder.startswith("~") else str(tmp_path / folder))

    with pytest.raises(DownloadError, match="PIPELOOM_CACHE_DIR"):
        await kafka_jars(SILENT)

"""The object store, in a folder and in a bucket of a server that speaks S3."""

import asyncio
import io
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import obstore
import pytest

from pipeloom.local.ports import pick_port
from services.kit.objects import ObjectMissing, ObjectStore, StoreTrouble
from services.kit.settings import ObjectsSettings

MIB = 1024 * 1024
MISSING = f"sha256:{'0' * 64}"
START_S = 30.0
BUCKET = "sources"


@pytest.fixture(scope="module")
def s3_url() -> Iterator[str]:
    """A server that speaks S3, with an empty bucket."""
    url = f"http://127.0.0.1:{(port := pick_port())}"
    arguments = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            make_bucket(url)
            yield url
        finally:
            server.terminate()
            server.wait(START_S)


def make_bucket(url: str) -> None:
    deadline = time.monotonic() + START_S
    while True:
        try:
            with urllib.request.urlopen(urllib.request.Request(f"{url}/{BUCKET}", method="PUT"), timeout=START_S):
                return
        except urllib.error.URLError:
            if time.monotonic() > deadline:
                raise
            threading.Event().wait(0.05)


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
    if request.param == "folder":
        return ObjectStore(ObjectsSettings(location=str(tmp_path / "objects")))
    monkeypatch.setenv("AWS_ENDPOINT_URL", request.getfixturevalue("s3_url"))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    return ObjectStore(ObjectsSettings(location=f"s3://{BUCKET}/{tmp_path.name}"))


def fetched(store: ObjectStore, name: str) -> bytes:
    target = io.BytesIO()
    store.fetch(name, target)
    return target.getvalue()


async def streamed(store: ObjectStore, name: str) -> tuple[int, bytes]:
    size, pieces = await store.stream(name)
    return size, b"".join([piece async for piece in pieces])


@pytest.mark.parametrize("size", [0, 1, 12 * MIB])
async def test_what_is_put_can_be_had_again_under_the_name_of_its_bytes(store: ObjectStore, size: int) -> None:
    data = b"ab" * (size // 2) + b"c" * (size % 2)
    name = await asyncio.to_thread(store.put, io.BytesIO(data))
    assert name.startswith("sha256:")
    assert await asyncio.to_thread(fetched, store, name) == data
    assert await streamed(store, name) == (size, data)


def test_the_same_bytes_have_the_same_name_and_others_another(store: ObjectStore) -> None:
    assert store.put(io.BytesIO(b"a")) == store.put(io.BytesIO(b"a"))
    assert store.put(io.BytesIO(b"a")) != store.put(io.BytesIO(b"b"))


async def test_what_is_not_there_is_missing(store: ObjectStore) -> None:
    with pytest.raises(ObjectMissing):
        await asyncio.to_thread(fetched, store, MISSING)
    with pytest.raises(ObjectMissing):
        await streamed(store, MISSING)


def test_two_that_put_the_same_do_no_harm(store: ObjectStore) -> None:
    data = b"x" * MIB
    threads = [threading.Thread(target=store.put, args=(io.BytesIO(data),)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(START_S)
    assert fetched(store, store.put(io.BytesIO(data))) == data


def test_objects_in_a_folder_are_for_their_owner_only(tmp_path: Path) -> None:
    ObjectStore(ObjectsSettings(location=str(tmp_path / "objects"))).open()
    assert (tmp_path / "objects").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("location", ["s3://", "/proc/nowhere"])
def test_a_location_that_cannot_be_used_is_told_when_it_is_opened(location: str) -> None:
    with pytest.raises(StoreTrouble, match="cannot be used to keep objects"):
        ObjectStore(ObjectsSettings(location=location)).open()


def test_a_bucket_that_cannot_be_reached_is_trouble_of_our_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{pick_port()}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with pytest.raises(StoreTrouble):
        ObjectStore(ObjectsSettings(location="s3://sources/x")).put(io.BytesIO(b"a"))


async def test_no_request_reads_more_than_comes_within_its_timeout(
    store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given
    asked: list[tuple[int, int]] = []
    get_range, get_range_async = obstore.get_range, obstore.get_range_async

    def noted(*given: Any, start: int, end: int) -> Any:
        asked.append((start, end))
        return get_range(*given, start=start, end=end)

    async def noted_async(*given: Any, start: int, end: int) -> Any:
        asked.append((start, end))
        return await get_range_async(*given, start=start, end=end)

    monkeypatch.setattr(obstore, "get_range", noted)
    monkeypatch.setattr(obstore, "get_range_async", noted_async)
    name = await asyncio.to_thread(store.put, io.BytesIO(b"x" * (9 * MIB)))
    # When
    await streamed(store, name)
    await asyncio.to_thread(fetched, store, name)
    # Then
    assert asked == [(0, 4 * MIB), (4 * MIB, 8 * MIB), (8 * MIB, 9 * MIB)] * 2

"""The object store: the archives of steps' sources, each under the digest of its bytes, so that a key never changes."""

import hashlib
import os
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import LocalStore, S3Store

from services.kit.settings import ObjectsSettings

S3 = "s3://"
# One request reads so much, whatever the pace of who asks: no slow reader meets the request's timeout.
PIECE_BYTES = 4 * 1024 * 1024
REQUEST_TIMEOUT = timedelta(seconds=20)
RETRY = {"max_retries": 2, "retry_timeout": timedelta(seconds=40)}


class ObjectMissing(Exception):  # noqa: N818 - it names what happened
    """There is no object under that name."""


class StoreTrouble(OSError):  # noqa: N818 - it names what happened
    """The object store cannot be used right now."""


class ObjectStore:
    """Archives in a folder or in a bucket that speaks S3. Each is named `sha256:` and the digest of its bytes.

    Writes are atomic in both.
    """

    def __init__(self, settings: ObjectsSettings) -> None:
        """Name the store; credentials of S3 come from the usual AWS_ variables."""
        self._location = settings.location

    @cached_property
    def _store(self) -> LocalStore | S3Store:
        try:
            return _open(self._location)
        except (BaseError, OSError) as error:
            raise StoreTrouble(f"{self._location!r} cannot be used to keep objects: {_reason(error)}") from error

    def open(self) -> None:
        """Open the store before its first use. Raises OSError when its location cannot be used."""
        _ = self._store

    def put(self, file: BinaryIO) -> str:
        """Keep `file` and return its name; what is there already is not written again. Raises StoreTrouble."""
        name = f"sha256:{_digest(file)}"
        try:
            if not self._has(name):
                obstore.put(self._store, _key(name), file)
        except BaseError as error:
            raise StoreTrouble(f"the object store does not take {name}: {_reason(error)}") from error
        return name

    def fetch(self, name: str, target: BinaryIO) -> None:
        """Copy the object into `target`. Raises ObjectMissing or StoreTrouble."""
        try:
            size = obstore.head(self._store, _key(name))["size"]
            target.writelines(
                obstore.get_range(self._store, _key(name), start=start, end=end) for start, end in _pieces(size)
            )
        except (NotFoundError, FileNotFoundError) as error:
            raise ObjectMissing(name) from error
        except BaseError as error:
            raise StoreTrouble(f"the object store does not give {name}: {_reason(error)}") from error

    async def stream(self, name: str) -> tuple[int, AsyncIterator[bytes]]:
        """Return the object's size and its bytes in pieces. Raises ObjectMissing or StoreTrouble."""
        try:
            size = (await obstore.head_async(self._store, _key(name)))["size"]
        except (NotFoundError, FileNotFoundError) as error:
            raise ObjectMissing(name) from error
        except BaseError as error:
            raise StoreTrouble(f"the object store does not give {name}: {_reason(error)}") from error

        async def pieces() -> AsyncIterator[bytes]:
            for start, end in _pieces(size):
                yield bytes(await obstore.get_range_async(self._store, _key(name), start=start, end=end))

        return size, pieces()

    def _has(self, name: str) -> bool:
        try:
            obstore.head(self._store, _key(name))
        except (NotFoundError, FileNotFoundError):
            return False
        return True


def _open(location: str) -> LocalStore | S3Store:
    if location.startswith(S3):
        # Given options of ours, it does not look for its own; an address that says http means it.
        allow_http = os.environ.get("AWS_ENDPOINT_URL", "").startswith("http://")
        return S3Store.from_url(
            location,
            client_options={"timeout": REQUEST_TIMEOUT, "allow_http": allow_http},
            retry_config=RETRY,  # type: ignore[arg-type]
        )
    folder = Path(location).absolute()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return LocalStore(folder)


def _pieces(size: int) -> Iterator[tuple[int, int]]:
    return ((start, min(start + PIECE_BYTES, size)) for start in range(0, size, PIECE_BYTES))


def _reason(error: Exception) -> str:
    """Return the first line of an error; what stands below is for those who mend the library."""
    return str(error).partition("\n")[0]


def _key(name: str) -> str:
    algorithm, _, digest = name.partition(":")
    return f"sources/{algorithm}/{digest}"


def _digest(file: BinaryIO) -> str:
    file.seek(0)
    digest = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
    file.seek(0)
    return digest

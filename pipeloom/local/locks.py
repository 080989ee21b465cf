"""One owner at a time for a folder."""

import asyncio
import fcntl
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from pipeloom.local.errors import DataDirInUseError, StartError

_LOOK_EVERY = 0.05
# How long the processes of a server take to end when their owner was killed a moment ago.
_PREDECESSOR_PATIENCE = 8.0


class StackLock:
    """Keeps a second stack off a data folder; the kernel takes it back whatever becomes of us."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._descriptor: int | None = None

    @property
    def is_held(self) -> bool:
        """Tell whether the folder is ours."""
        return self._descriptor is not None

    def acquire(self) -> None:
        """Take the lock, or refuse when another process holds it."""
        file = self._data_dir / "lock"
        try:
            descriptor = _try_lock(file)
        except OSError as trouble:
            raise StartError(
                f"{self._data_dir} cannot be the data folder ({trouble.strerror}). "
                "Choose one that you may write to with --data-dir."
            ) from trouble
        if descriptor is None:
            raise DataDirInUseError(
                f"{self._data_dir} is in use by another `pipeloom up` (process {file.read_text()}). "
                "Stop that one, or choose another folder with --data-dir."
            )
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        self._descriptor = descriptor

    def release(self) -> None:
        """Let the next one in."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


@asynccontextmanager
async def sole_use(folder: Path, server: str) -> AsyncIterator[int]:
    """Hold a server's folder once every process of its last server is gone.

    Gives the descriptor that the new server has to inherit: the lock then lasts until its last process has ended.
    Two brokers, or two postmasters, on one folder destroy it.
    """
    descriptor, patience = _try_lock(folder / "lock"), time.monotonic() + _PREDECESSOR_PATIENCE
    while descriptor is None:
        if time.monotonic() > patience:
            raise DataDirInUseError(f"{folder} is in use by another {server}. Stop that one, or choose another folder.")
        await asyncio.sleep(_LOOK_EVERY)
        descriptor = _try_lock(folder / "lock")
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _try_lock(file: Path) -> int | None:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor

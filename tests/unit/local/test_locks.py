import asyncio
import os
import subprocess
from pathlib import Path

import pytest

from pipeloom.local import locks
from pipeloom.local.errors import DataDirInUseError
from pipeloom.local.locks import StackLock, sole_use


def test_a_locked_folder_is_refused_and_its_owner_named(tmp_path: Path) -> None:
    holder = StackLock(tmp_path / "data")
    holder.acquire()

    with pytest.raises(DataDirInUseError, match=rf"process {os.getpid()}\).*--data-dir"):
        StackLock(tmp_path / "data").acquire()

    holder.release()


def test_a_released_folder_can_be_locked_again(tmp_path: Path) -> None:
    first, second = StackLock(tmp_path), StackLock(tmp_path)
    first.acquire()
    first.release()

    second.acquire()

    with pytest.raises(DataDirInUseError):
        first.acquire()
    second.release()


async def test_a_folder_stays_locked_while_a_process_that_inherited_the_lock_lives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "_PREDECESSOR_PATIENCE", 0.1)
    async with sole_use(tmp_path, "Kafka") as lock:
        server = await asyncio.create_subprocess_exec("sleep", "600", pass_fds=(lock,), stdin=subprocess.DEVNULL)

    with pytest.raises(DataDirInUseError, match="in use by another Kafka"):
        async with sole_use(tmp_path, "Kafka"):
            pass

    server.kill()
    await server.wait()
    async with sole_use(tmp_path, "Kafka") as lock:
        assert lock > 0

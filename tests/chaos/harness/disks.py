"""Disks that can be full for a while: a small file system for each server, that nobody but this run sees."""

import asyncio
import ctypes
import os
import shutil
import subprocess
import sys
from pathlib import Path

SIZE = "6g"
COMMAND_S = 10.0
KEEP_S = 120.0
TRIES = 20
# Of unshare(2): mounts of this process and of what it starts are seen by nobody else, and end with them.
OWN_MOUNTS = 0x00020000


class Disk:
    """A tmpfs. It is full when it is made as small as what it holds, which needs no balloon and so no memory."""

    def __init__(self, folder: Path) -> None:
        """Stand for a disk at `folder`, which need not exist."""
        self._folder = folder

    async def mount(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        await _do("mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=0755", "chaos", str(self._folder))

    async def fill(self) -> None:
        """Leave no room. Raises OSError when that does not succeed."""
        for _ in range(TRIES):
            held = os.statvfs(self._folder)
            try:
                return await self._resize(str((held.f_blocks - held.f_bfree) * held.f_frsize))
            except OSError:  # more was written since
                continue
        raise OSError(f"{self._folder} grows faster than it can be filled")

    async def free(self) -> None:
        """Give all the room back."""
        await self._resize(SIZE)

    async def keep(self) -> None:
        """Let what it holds stay in its folder, on the disk below, and give it up."""
        kept = self._folder.with_name(self._folder.name + ".kept")
        await _do("cp", "-a", str(self._folder), str(kept), within_s=KEEP_S)
        await _do("umount", "-l", str(self._folder))
        await asyncio.to_thread(shutil.rmtree, self._folder)
        kept.rename(self._folder)

    async def _resize(self, size: str) -> None:
        await _do("mount", "-o", f"remount,size={size}", str(self._folder))


def why_no_disks() -> str:
    """Have what is mounted from now on be our own; return why nothing can be mounted, which is empty when it can."""
    if sys.platform != "linux":
        return "a small file system is mounted on Linux only"
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(OWN_MOUNTS):
        return f"to mount a small file system needs root: {os.strerror(ctypes.get_errno())}"
    private = subprocess.run(["mount", "--make-rprivate", "/"], check=False, capture_output=True, text=True)
    return private.stderr.strip()


async def _do(*command: str, within_s: float = COMMAND_S) -> None:
    """Run a command. Raises OSError with what it said when it failed."""
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    async with asyncio.timeout(within_s):
        _, said = await process.communicate()
    if process.returncode:
        raise OSError(f"{' '.join(command)}: {said.decode().strip()}")

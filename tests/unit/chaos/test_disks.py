"""A disk that can be full: seen in a process of its own, whose mounts are nobody else's."""

import errno
import subprocess
import sys
from pathlib import Path

import pytest

FILLED = """
import asyncio, sys
from pathlib import Path
from tests.chaos.harness.disks import Disk, why_no_disks

async def main(folder):
    why = why_no_disks()
    disk, file = Disk(folder), folder / "kept"
    if not why:
        try:
            await disk.mount()
        except OSError as error:
            why = str(error)
    if why:
        return print("left out:", why)
    file.write_bytes(b"x" * 10_000)
    await disk.fill()
    try:
        (folder / "more").write_bytes(b"y" * 100_000)
    except OSError as error:
        print(error.errno)
    await disk.free()
    (folder / "more").write_bytes(b"y" * 100_000)
    await disk.keep()

asyncio.run(main(Path(sys.argv[1])))
"""


def test_a_disk_that_is_full_takes_nothing_until_it_is_freed_and_what_it_held_stays(tmp_path: Path) -> None:
    folder = tmp_path / "disk"

    ran = subprocess.run([sys.executable, "-c", FILLED, folder], check=True, capture_output=True, text=True)

    if ran.stdout.startswith("left out:"):
        pytest.skip(ran.stdout)
    assert int(ran.stdout) == errno.ENOSPC
    assert sorted(each.name for each in folder.iterdir()) == ["kept", "more"]
    assert (folder / "kept").stat().st_size == 10_000

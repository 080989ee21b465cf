"""Temporary folders for fetched sources, under the work folder that the settings name."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = "build-"
# Builders may share a work folder, so only what no running build can still use is swept.
LEFTOVER_AFTER_S = 3600.0


@contextmanager
def build_folder(work_dir: Path) -> Iterator[Path]:
    """Give a new folder below `work_dir`, and remove it at the end of the block."""
    work_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=PREFIX, dir=work_dir) as folder:
        yield Path(folder)


def sweep(work_dir: Path) -> None:
    """Remove the folders that builders left which were killed."""
    oldest = time.time() - LEFTOVER_AFTER_S
    for folder in work_dir.glob(f"{PREFIX}*"):
        with suppress(FileNotFoundError):  # another builder sweeps too
            if folder.stat().st_mtime < oldest:
                shutil.rmtree(folder, ignore_errors=True)

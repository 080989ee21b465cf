"""Key files: readable by their owner only, and replaced in one step, so that nobody reads half of one."""

import os
from pathlib import Path


def write_key_file(path: Path, content: bytes) -> None:
    """Write the file, in place of the one that was there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)

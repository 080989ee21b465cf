"""Key files: made once, readable by their owner only."""

import os
from collections.abc import Callable
from pathlib import Path


def ensure_key_file(path: Path, new_key: Callable[[], bytes]) -> bool:
    """Create the file with what `new_key` returns, unless it is there; return whether it is new."""
    if path.exists():
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(new_key())
    draft.rename(path)
    return True

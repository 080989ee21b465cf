"""Files that only their owner may read."""

import os
import secrets
from pathlib import Path


def write_private(file: Path, text: str) -> None:
    """Write a file with mode 0600, whole or not at all."""
    scratch = file.with_name(f".{file.name}.{os.getpid()}")
    scratch.unlink(missing_ok=True)
    with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as target:
        target.write(text)
        target.flush()
        os.fsync(target.fileno())
    scratch.replace(file)


def kept_password(file: Path) -> str:
    """Return the password that a file keeps, making one up the first time."""
    if not file.exists():
        write_private(file, secrets.token_urlsafe(24) + "\n")
    return file.read_text().strip()

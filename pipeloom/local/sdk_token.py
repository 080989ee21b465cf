"""The token of the demo user, which the database gives away only once and the data folder keeps."""

import hashlib
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

from pipeloom.local.errors import StartError
from pipeloom.local.http import is_refused
from pipeloom.local.progress import Progress
from pipeloom.local.secret_files import write_private


def token_file(data_dir: Path, configured_postgres: str | None) -> Path:
    """Return where the token is kept: each database has tokens of its own."""
    if configured_postgres is None:
        return data_dir / "sdk-token"
    return data_dir / f"sdk-token-{hashlib.sha256(configured_postgres.encode()).hexdigest()[:12]}"


async def valid_token(file: Path, url: str, bootstrap: Callable[[], Awaitable[str]], report: Progress) -> str:
    """Return the kept token; a new one, which `bootstrap` makes, when none is kept or the stack at `url` refuses it."""
    kept = _kept_in(file)
    if kept and not await is_refused(url, kept):
        return kept
    if kept:
        report.say("bootstrap", f"the token in {file} is unknown or revoked; making a new one")
    else:
        report.say("bootstrap", "making the environment and the user `demo`")
    token = _token_in(await bootstrap())
    write_private(file, token + "\n")
    return token


def _kept_in(file: Path) -> str:
    return file.read_bytes().decode(errors="replace").strip() if file.exists() else ""


def _token_in(answer: str) -> str:
    try:
        return str(json.loads(answer)["sdk_token"])
    except (ValueError, KeyError, TypeError):
        raise StartError("bootstrap did not print a JSON object with the key sdk_token.") from None

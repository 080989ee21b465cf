"""An environment of its own for each version of craft-ai-sdk, made once for a user, outside of the repository."""

import asyncio
import contextlib
import hashlib
import sys
import tempfile
from collections.abc import Callable
from importlib.metadata import version as installed_version
from pathlib import Path

from pipeloom.local.kafka_jars import cache_dir
from tests.acceptance.contract.versions import CHOICE_SETTING, Version

LOCKS = Path(__file__).resolve().parents[3] / "requirements" / "contract"
INSTALL_S = 150.0

Say = Callable[[str], None]


class NotInstalled(Exception):  # noqa: N818 - it names what happened
    """A version could not be installed; the message says why and what to do."""


async def interpreter(version: Version, say: Say) -> Path:
    """Return the Python that has this version, installing it first where that was never done. Raises NotInstalled."""
    if installed_version("craft-ai-sdk") == version.number:
        return Path(sys.executable)
    lock = LOCKS / f"craft-ai-sdk-{version.number}.lock"
    folder = _folder(lock)
    if not folder.exists():
        say(f"installing craft-ai-sdk {version.number} into {folder}, once for this user")
        await _install(version, lock, folder)
    return _python(folder)


def _folder(lock: Path) -> Path:
    """Return where an environment belongs that has what the lock says, for the Python that runs the tests."""
    made_of = lock.read_bytes() + sys.version.encode() + sys.prefix.encode()
    return cache_dir() / "contract" / f"{lock.stem}-{hashlib.sha256(made_of).hexdigest()[:12]}"


def _python(folder: Path) -> Path:
    return folder / "bin" / "python"


async def _install(version: Version, lock: Path, folder: Path) -> None:
    """Put the environment there whole or not at all; who was quicker is left alone."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".new-", dir=folder.parent, ignore_cleanup_errors=True) as scratch:
        made = Path(scratch) / "environment"
        try:
            await _uv("venv", "--python", sys.executable, str(made))
            await _uv("pip", "install", "--python", str(_python(made)), "--require-hashes", "-r", str(lock))
        except NotInstalled as error:
            raise NotInstalled(
                f"craft-ai-sdk {version.number} could not be installed into {folder}: {error}\n"
                "Its packages come from the package index that uv is configured for; once they are there, no network "
                f"is needed. {CHOICE_SETTING} chooses other versions."
            ) from error
        with contextlib.suppress(FileExistsError, OSError):
            made.rename(folder)
    if not _python(folder).exists():
        raise NotInstalled(f"{folder} is no environment; delete it and try again.")


async def _uv(*arguments: str) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "uv", "--quiet", *arguments, stderr=asyncio.subprocess.PIPE
    )
    try:
        _, complaint = await asyncio.wait_for(process.communicate(), INSTALL_S)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise NotInstalled(f"uv did not end within {INSTALL_S:.0f} s.") from None
    if process.returncode != 0:
        raise NotInstalled(complaint.decode(errors="replace").strip())

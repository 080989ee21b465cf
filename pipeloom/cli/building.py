"""A build while it goes on: what a person sees of it, and what keeps it from beginning."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeloom.cli.exits import ExitCode, end
from pipeloom.cli.output import waiting
from pipeloom.client.upload import OnUpload


@contextmanager
def building(name: str, folder: Path | None = None) -> Iterator[OnUpload]:
    """Show a person at a terminal how far a build is; give what is to be told how much is uploaded."""
    builds = f"Building the step '{name}' …"
    with waiting(f"Packing '{folder}' …" if folder else builds) as status, usable_files():
        yield lambda sent, size: status.update(builds if sent == size else _uploads(sent, size))


@contextmanager
def usable_files() -> Iterator[None]:
    """End the command with a sentence when the block meets a file of this machine that it cannot use."""
    try:
        yield
    except OSError as error:
        end(ExitCode.USAGE, f"{error.filename}: {error.strerror}." if error.filename else f"{error}.")
    except ValueError as error:
        end(ExitCode.USAGE, f"{error}.")


def _uploads(sent: int, size: int) -> str:
    return f"Uploading {sent / 1e6:.1f} of {size / 1e6:.1f} MB …"

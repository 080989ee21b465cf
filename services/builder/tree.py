"""What the checks see of a source: a tree of files that can be read and never leads out of itself."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import PurePosixPath
from typing import Protocol

MAX_FILE_BYTES = 1024 * 1024


class Kind(Enum):
    """What stands at a path. Links and submodules are told apart from files, because nothing follows them."""

    FILE = "a file"
    FOLDER = "a folder"
    LINK = "a symbolic link"
    SUBMODULE = "a submodule"


@dataclass(frozen=True, slots=True)
class Entry:
    """A file with its content, or a link with its target."""

    path: PurePosixPath
    kind: Kind
    is_executable: bool
    content: bytes


class TooLarge(Exception):  # noqa: N818 - it names what the file is
    """The file is larger than MAX_FILE_BYTES."""


class Tree(Protocol):
    """The files of a step's source at one commit."""

    def kind(self, path: PurePosixPath) -> Kind | None:
        """Return what stands at `path`, or None when nothing does."""

    def read(self, path: PurePosixPath) -> bytes | None:
        """Return the content of the file at `path`, or None when no file is there. Raises TooLarge."""

    def entries(self) -> Iterator[Entry]:
        """Give every file and link, always in the same order."""

"""Reads gzip tars that strangers sent: within limits, without writing any member to disk."""

import gzip
import tarfile
import zlib
from collections.abc import Container, Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import chain, takewhile
from pathlib import PurePosixPath
from typing import BinaryIO

from services.kit.settings import ObjectsSettings

# Headers, and what a caller asks for, are read in one piece each.
MAX_PIECE_BYTES = 1024 * 1024
SKIP_BYTES = 64 * 1024
# Text shrinks to a fifth, repetitive tables to a fiftieth; DEFLATE ends at a thousandth.
MAX_RATIO = 200
RATIO_COUNTS_FROM_BYTES = 16 * 1024**2
MAX_PATH = 200
# Every folder on the way to a member is kept in memory.
MAX_NAME_CHARACTERS = 1024
MAX_NAME_PARTS = 64
MAX_PART_BYTES = 255


class Flaw(Enum):
    """What is wrong with an archive."""

    BROKEN = "broken"
    UNSAFE = "unsafe"
    TOO_LARGE = "too large"


class BadArchive(Exception):  # noqa: N818 - it names what the archive is
    """An archive that is not taken: its flaw, and a sentence that tells what to mend."""

    def __init__(self, flaw: Flaw, message: str) -> None:
        super().__init__(message)
        self.flaw = flaw


@dataclass(frozen=True, slots=True)
class Limits:
    """How much an archive may unpack to."""

    unpacked_bytes: int
    members: int


def limits_of(settings: ObjectsSettings) -> Limits:
    """Return the limits that the settings tell."""
    return Limits(settings.max_unpacked_bytes, settings.max_members)


def check_archive(file: BinaryIO, packed_bytes: int, limits: Limits, copy: BinaryIO | None = None) -> None:
    """Raise BadArchive unless `file` is a gzip tar that unpacks, within `limits`, below its own root only.

    Reads all of it; `copy` gets the tar without its compression.
    """
    with gzip.GzipFile(fileobj=file, mode="rb") as unpacked:
        reader = _Forward(unpacked, packed_bytes, limits.unpacked_bytes, copy)
        try:
            _check_members(reader, limits)
            reader.finish()
        except (
            tarfile.TarError,
            gzip.BadGzipFile,
            EOFError,
            zlib.error,
            ValueError,
            OverflowError,
            RecursionError,
        ) as error:
            raise BadArchive(
                Flaw.BROKEN, f"The file is not a gzip tar that can be read ({error}); make it with `tar -czf`."
            ) from error


def member_path(name: str) -> PurePosixPath:
    """Return where a member stands below the root. Raises BadArchive when it leads out."""
    if len(name) > MAX_NAME_CHARACTERS or name.count("/") > MAX_NAME_PARTS or _longest_part(name) > MAX_PART_BYTES:
        raise BadArchive(
            Flaw.UNSAFE,
            f"The archive has a member whose path is longer than {MAX_NAME_CHARACTERS} characters, deeper than "
            f"{MAX_NAME_PARTS} folders, or has a name longer than {MAX_PART_BYTES} bytes; shorten it.",
        )
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\0" in name:
        raise BadArchive(
            Flaw.UNSAFE, f"The archive has the member {_quoted(name)}; pack paths relative to its root, without '..'."
        )
    return path


def _longest_part(name: str) -> int:
    return max(len(part) for part in name.encode(errors="surrogateescape").split(b"/"))


def stays_inside(target: str, folder: PurePosixPath) -> bool:
    """Tell whether a link in `folder` to `target` goes up only at its start and not above the root.

    Then no chain of links leads out either.
    """
    path = PurePosixPath(target)
    ups = path.parts.count("..")
    return not path.is_absolute() and ".." not in path.parts[ups:] and ups <= len(folder.parts)


def new_folders(path: PurePosixPath, known: Container[PurePosixPath], *, with_itself: bool) -> Iterator[PurePosixPath]:
    """Give the folders on the way to `path` that are not `known`; above a folder that is known all are."""
    way = chain([path] if with_itself else [], path.parents)
    return takewhile(lambda folder: folder not in known, way)


def _check_members(reader: "_Forward", limits: Limits) -> None:
    layout = _Layout(limits.members)
    with tarfile.open(fileobj=reader, mode="r:") as tar:  # type: ignore[call-overload]
        for number, member in enumerate(_members(tar)):
            if number >= limits.members:
                raise _too_many(limits.members)
            _check_member(member)
            layout.place(member)
    if reader.last.strip(b"\0"):  # tarfile takes a header that it cannot read for the end
        raise BadArchive(Flaw.BROKEN, "The archive has a damaged member; pack it anew.")


def _too_many(most: int) -> BadArchive:
    return BadArchive(
        Flaw.TOO_LARGE, f"The archive has more than {most} files and folders; pack only what the step needs."
    )


def _members(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    while (member := tar.next()) is not None:
        tar.members.clear()  # type: ignore[attr-defined]
        yield member


def _check_member(member: tarfile.TarInfo) -> None:
    path = member_path(member.name)
    if not (member.isreg() or member.isdir() or member.issym() or member.islnk()) or member.issparse():
        raise BadArchive(
            Flaw.UNSAFE,
            f"The member {_quoted(member.name)} is no file, folder or link (a device, a pipe or a sparse file); "
            "leave it out.",
        )
    if member.issym():
        _check_link(member, path.parent)
    if member.islnk():
        member_path(member.linkname)


def _check_link(member: tarfile.TarInfo, folder: PurePosixPath) -> None:
    if not stays_inside(member.linkname, folder):
        raise BadArchive(
            Flaw.UNSAFE,
            f"The link {_quoted(member.name)} leads to {_quoted(member.linkname)}, which may be outside of the "
            "archive; pack the file itself (`tar --dereference`), or leave it out.",
        )


class _Layout:
    """What stands where. What is packed below a link or a file would land somewhere else, or nowhere."""

    def __init__(self, most_folders: int) -> None:
        self._leaves: dict[PurePosixPath, bool] = {}
        self._folders = {PurePosixPath()}
        self._most_folders = most_folders

    def place(self, member: tarfile.TarInfo) -> None:
        """Note a member. Raises BadArchive when a path is more than one of folder, file and link, or at too many."""
        path = PurePosixPath(member.name)
        folders = set(new_folders(path, self._folders, with_itself=member.isdir()))
        leaf = None if member.isdir() else member.issym()
        if not self._leaves.keys().isdisjoint(folders) or (
            leaf is not None and (path in self._folders or self._leaves.get(path, leaf) != leaf)
        ):
            raise BadArchive(
                Flaw.UNSAFE,
                f"The member {_quoted(member.name)} stands where another one stands already, or below a link or a "
                "file; pack each path once.",
            )
        # None: it is not there; True: it is a symbolic link, which leads elsewhere from another folder.
        if member.islnk() and self._leaves.get(PurePosixPath(member.linkname)) is not False:
            raise BadArchive(
                Flaw.UNSAFE,
                f"The member {_quoted(member.name)} is a second name of {_quoted(member.linkname)}, which is no file "
                "that stands before it; pack the file itself.",
            )
        self._folders |= folders
        if len(self._folders) > self._most_folders + 1:  # and the root
            raise _too_many(self._most_folders)
        if leaf is not None:
            self._leaves[path] = leaf


class _Forward:
    """A stream as tarfile reads it: only forward, in pieces of a bounded size, and within the limits."""

    def __init__(self, unpacked: BinaryIO | gzip.GzipFile, packed: int, limit: int, copy: BinaryIO | None) -> None:
        self._unpacked = unpacked
        self._limit = limit
        self._ratio_limit = max(RATIO_COUNTS_FROM_BYTES, packed * MAX_RATIO)
        self._copy = copy
        self._position = 0
        self.last = b""

    def tell(self) -> int:
        return self._position

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= MAX_PIECE_BYTES:
            raise BadArchive(Flaw.TOO_LARGE, "The archive has a header that is larger than 1 MiB; pack it anew.")
        data = self._unpacked.read(size)
        self.last = data
        self._position += len(data)
        if self._position > self._limit:
            raise BadArchive(
                Flaw.TOO_LARGE,
                f"The archive unpacks to more than {self._limit} bytes; keep data and models out of it.",
            )
        if self._position > self._ratio_limit:
            raise BadArchive(
                Flaw.TOO_LARGE, f"The archive unpacks to more than {MAX_RATIO} times its size; leave out what is empty."
            )
        if self._copy is not None:
            self._copy.write(data)
        return data

    def seek(self, position: int) -> int:
        if position < self._position:
            raise BadArchive(Flaw.BROKEN, "The archive has a member of a negative size; pack it anew.")
        while self._position < position and self.read(min(SKIP_BYTES, position - self._position)):
            pass
        return self._position

    def finish(self) -> None:
        """Read what stands behind the last member: the end of the compressed data proves that nothing is missing."""
        while self.read(SKIP_BYTES):
            pass


def _quoted(name: str) -> str:
    return repr(name if len(name) <= MAX_PATH else f"{name[:MAX_PATH]}…")

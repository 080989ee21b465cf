"""Sources that were uploaded: read through the archive, of which nothing is unpacked to a path."""

import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from events.refusals import FailureCode
from events.resources import LOCAL_ORIGIN
from services.builder.errors import Unbuildable
from services.builder.git import Source
from services.builder.tree import MAX_FILE_BYTES, Entry, Kind, TooLarge
from services.builder.workdir import build_folder
from services.kit.archives import BadArchive, Flaw, Limits, check_archive, new_folders
from services.kit.objects import ObjectMissing, ObjectStore

CODES = {
    Flaw.BROKEN: FailureCode.SOURCE_UNREADABLE,
    Flaw.UNSAFE: FailureCode.UNSAFE_SOURCE,
    Flaw.TOO_LARGE: FailureCode.SOURCE_TOO_LARGE,
}


class ArchiveTree:
    """The files of a tar. Of a path that was packed several times the last one counts."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        self._members = {PurePosixPath(member.name): member for member in tar}
        self._folders: set[PurePosixPath] = set()
        for path in self._members:
            self._folders.update(new_folders(path, self._folders, with_itself=False))

    def kind(self, path: PurePosixPath) -> Kind | None:
        """Return what stands at `path`, or None when nothing does."""
        member = self._member(path)
        if member is None:
            return Kind.FOLDER if path in self._folders else None
        if member.isdir():
            return Kind.FOLDER
        return Kind.FILE if member.isreg() else Kind.LINK

    def read(self, path: PurePosixPath) -> bytes | None:
        """Return the content of the file at `path`, or None when no file is there. Raises TooLarge."""
        member = self._member(path)
        if member is None or not member.isreg():
            return None
        if member.size > MAX_FILE_BYTES:
            raise TooLarge
        return self._content(member).read()

    def entries(self) -> Iterator[Entry]:
        """Give every file and link."""
        for path in sorted(self._members):
            match self.kind(path):
                case Kind.FILE:
                    member = self._members[path]
                    yield Entry(path, Kind.FILE, bool(member.mode & 0o100), self._content(member).read())
                case Kind.LINK:
                    yield Entry(path, Kind.LINK, False, self._members[path].linkname.encode())

    def _member(self, path: PurePosixPath) -> tarfile.TarInfo | None:
        """Return what was packed at `path`; a hard link is the file that it names."""
        member = self._members.get(path)
        if member is not None and member.islnk():
            return self._members.get(PurePosixPath(member.linkname))
        return member

    def _content(self, member: tarfile.TarInfo) -> IO[bytes]:
        content = self._tar.extractfile(member)
        if content is None:
            raise TypeError(f"{member.name} is no file")
        return content


@contextmanager
def uploaded_source(kept: str, objects: ObjectStore, limits: Limits, work_dir: Path) -> Iterator[Source]:
    """Open the archive that is kept under the name `kept`, checked again: who wrote the command may have named any."""
    with build_folder(work_dir) as folder:
        try:
            with (folder / "source.tgz").open("w+b") as packed, (folder / "source.tar").open("wb") as unpacked:
                objects.fetch(kept, packed)
                size = packed.tell()
                packed.seek(0)
                check_archive(packed, size, limits, unpacked)
        except ObjectMissing:
            raise Unbuildable(
                FailureCode.SOURCE_UNREADABLE, "The uploaded source is not in the object store; upload it again."
            ) from None
        except BadArchive as bad:
            raise Unbuildable(CODES[bad.flaw], str(bad)) from None
        with tarfile.open(folder / "source.tar", "r:") as tar:
            yield Source(None, ArchiveTree(tar), kept, LOCAL_ORIGIN)

"""A step's code from a folder: packed once, the same way each time, into a file that is sent piece by piece."""

import gzip
import os
import stat
import tarfile
import tempfile
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, cast

LEFT_OUT = {".git", "__pycache__"}
OnUpload = Callable[[int, int], object]


class Upload:
    """The code of a step on its way: packed when it is first sent, into a file that goes when this does."""

    def __init__(self, folder: Path, paths: Iterable[str], on_upload: OnUpload | None = None) -> None:
        """Send what is at `paths` of `folder`. Raises NotADirectoryError, FileNotFoundError or ValueError."""
        if not folder.is_dir():
            raise NotADirectoryError(f"'{folder}' is not a folder; name the folder with the step's code")
        self._folder = folder
        self._starts = [_start(folder, path) for path in paths]
        self._on_upload = on_upload
        self._packed: BinaryIO | None = None

    def opened(self) -> BinaryIO:
        """Return the gzip tar, packed the first time. It has the same bytes again, so that a repeat is a repeat."""
        if self._packed is None:
            packed = cast("BinaryIO", tempfile.TemporaryFile())  # noqa: SIM115 - closed with this object
            weakref.finalize(self, packed.close)
            pack(self._folder, self._starts, packed)
            packed.flush()  # who sends it asks the system how long it is
            self._packed = packed
        return cast("BinaryIO", _Told(self._packed, self._on_upload)) if self._on_upload else self._packed


def wanted_paths(function_path: str, container_config: Mapping[str, Any]) -> list[str]:
    """Return what of a folder goes along: what craft-ai-sdk takes too."""
    included = container_config.get("included_folders")
    paths = [*(["/"] if included is None else included), container_config.get("requirements_path"), function_path]
    return [path for path in paths if path]


def pack(folder: Path, starts: Iterable[PurePosixPath], into: BinaryIO) -> None:
    """Write the files below `starts` as a gzip tar. The same files give the same bytes.

    Links stay links; what is neither file, folder nor link stays out.
    """
    with (
        gzip.GzipFile(fileobj=into, mode="wb", filename="", mtime=0, compresslevel=6) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for name in sorted({name for start in starts for name in _names(folder, start)}):
            _add(archive, folder / name, name)


def _start(folder: Path, path: str) -> PurePosixPath:
    start = PurePosixPath(path.lstrip("/"))
    if ".." in start.parts:
        raise ValueError(f"'{path}' leads out of the folder '{folder}'; give paths below it")
    if not os.path.lexists(folder / start):
        raise FileNotFoundError(f"There is no '{start}' in the folder '{folder}'")
    return start


def _names(folder: Path, start: PurePosixPath) -> Iterator[str]:
    if start.parts:
        yield str(start)
    if (folder / start).is_symlink() or not (folder / start).is_dir():
        return
    for above, folders, files in os.walk(folder / start, onerror=_raise):
        folders[:] = [name for name in folders if name not in LEFT_OUT]
        for name in (*folders, *files):
            if name not in LEFT_OUT:
                yield (Path(above) / name).relative_to(folder).as_posix()


def _raise(error: OSError) -> None:
    raise error


def _add(archive: tarfile.TarFile, path: Path, name: str) -> None:
    """Add a member with what is the same on every machine, and each name of a file as a file of its own."""
    status = path.lstat()
    member = tarfile.TarInfo(name)
    member.mode = stat.S_IMODE(status.st_mode)
    if stat.S_ISREG(status.st_mode):
        member.size = status.st_size
        with path.open("rb") as file:
            archive.addfile(member, file)
    elif stat.S_ISDIR(status.st_mode):
        member.type = tarfile.DIRTYPE
        archive.addfile(member)
    elif stat.S_ISLNK(status.st_mode):
        member.type, member.linkname = tarfile.SYMTYPE, str(path.readlink())
        archive.addfile(member)


class _Told:
    """A file that tells how far it is read."""

    def __init__(self, file: BinaryIO, tell: OnUpload) -> None:
        self._file = file
        self._tell = tell
        self._size = file.seek(0, os.SEEK_END)

    def read(self, size: int = -1) -> bytes:
        piece = self._file.read(size)
        self._tell(self._file.tell(), self._size)
        return piece

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def fileno(self) -> int:
        return self._file.fileno()

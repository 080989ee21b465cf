"""A commit's files, read straight out of git's object store: no work tree, no hooks, no filters, no links followed."""

import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import TypeVar

import structlog
from dulwich.object_store import BaseObjectStore
from dulwich.objects import S_ISGITLINK, Blob, Commit, ObjectID, Tag
from dulwich.objects import Tree as GitTreeObject

from events.refusals import FailureCode
from services.builder.errors import Unbuildable, Unreachable
from services.builder.tree import MAX_FILE_BYTES, Entry, Kind, TooLarge
from services.builder.wording import quoted

MAX_TAG_CHAIN = 8
# Each blob is read whole.
MAX_BLOB_BYTES = 64 * 1024 * 1024
# Folders that name each other can be many more than their objects; what is in them counts before it is read.
MAX_FOLDERS = 50_000
MAX_ENTRIES = 500_000
NO_NAMES = frozenset({b"", b".", b"..", b".git"})
Found = TypeVar("Found")

log = structlog.get_logger()


class GitTree:
    """The tree of one commit. Where large blobs were left out of a fetch, a blob that is absent is too large.

    Once it is `abandoned`, it raises Unreachable.
    """

    def __init__(
        self, store: BaseObjectStore, root: ObjectID, abandoned: threading.Event, *, without_large_blobs: bool
    ) -> None:
        self._store = store
        self._root = root
        self._abandoned = abandoned
        self._without_large_blobs = without_large_blobs
        self._walked = self._met = 0

    def kind(self, path: PurePosixPath) -> Kind | None:
        """Return what stands at `path`, or None when nothing does."""
        with stumbling_told():
            entry = self._entry(path)
        return None if entry is None else _kind(entry[0])

    def read(self, path: PurePosixPath) -> bytes | None:
        """Return the content of the file at `path`, or None when no file is there. Raises TooLarge."""
        with stumbling_told():
            entry = self._entry(path)
            if entry is None or _kind(entry[0]) is not Kind.FILE:
                return None
            if self._without_large_blobs and entry[1] not in self._store:
                raise TooLarge
            blob = _expect(self._store[entry[1]], Blob)
            if blob.raw_length() > MAX_FILE_BYTES:
                raise TooLarge
            return blob.data

    def entries(self) -> Iterator[Entry]:
        """Give every file and link. Submodules are left out: their files are in another repository."""
        self._walked = self._met = 0
        with stumbling_told():
            yield from self._below(PurePosixPath(), self._root)

    def _below(self, folder: PurePosixPath, name: ObjectID) -> Iterator[Entry]:
        contents = self._contents(name)
        self._walked += 1
        self._met += len(contents)
        if self._walked > MAX_FOLDERS or self._met > MAX_ENTRIES:
            raise Unbuildable(
                FailureCode.SOURCE_TOO_LARGE,
                f"The repository has more than {MAX_FOLDERS} folders, or more than {MAX_ENTRIES} files, links and "
                "submodules; keep data out of it.",
            )
        for item in contents.iteritems():
            if item.path in NO_NAMES or b"/" in item.path:
                raise Unbuildable(
                    FailureCode.UNSAFE_SOURCE,
                    f"The repository has a file of the name {quoted(str(item.path))}; run `git fsck` on it.",
                )
            path = folder / item.path.decode(errors="surrogateescape")
            match _kind(item.mode):
                case Kind.FOLDER:
                    yield from self._below(path, item.sha)
                case Kind.FILE | Kind.LINK as kind:
                    is_executable = kind is Kind.FILE and bool(item.mode & stat.S_IXUSR)
                    yield Entry(path, kind, is_executable, self._blob(item.sha, path))

    def _blob(self, name: ObjectID, path: PurePosixPath) -> bytes:
        if self._without_large_blobs and name not in self._store:
            raise Unbuildable(
                FailureCode.SOURCE_TOO_LARGE,
                f"{quoted(str(path))} is larger than {MAX_BLOB_BYTES // 1024**2} MiB; keep data and models out of the "
                "repository.",
            )
        return _expect(self._store[name], Blob).data

    def _contents(self, name: ObjectID) -> GitTreeObject:
        if self._abandoned.is_set():
            raise Unreachable("nobody waits for the build any more")
        return _expect(self._store[name], GitTreeObject)

    def _entry(self, path: PurePosixPath) -> tuple[int, ObjectID] | None:
        mode, name = stat.S_IFDIR, self._root
        for part in path.parts:
            if _kind(mode) is not Kind.FOLDER:
                return None
            folder = self._contents(name)
            entry = part.encode(errors="surrogatepass")
            if entry not in folder:
                return None
            mode, name = folder[entry]
        return mode, name


def commit_named(store: BaseObjectStore, name: ObjectID) -> Commit:
    """Return the commit that `name` is or, through annotated tags, points to. Raises Unbuildable on anything else."""
    with stumbling_told():
        found = store[name]
        for _ in range(MAX_TAG_CHAIN):
            if not isinstance(found, Tag):
                break
            found = store[found.object[1]]
        return _expect(found, Commit)


@contextmanager
def stumbling_told() -> Iterator[None]:
    """Tell whatever dulwich stumbles over in a damaged repository as Unbuildable; trouble of the disk passes."""
    try:
        yield
    except (Unbuildable, Unreachable, TooLarge, OSError):
        raise
    except Exception as error:
        # Its text may quote the damaged file, so it is for the log and not for the user.
        log.warning("a repository could not be read", exc_info=True)
        raise Unbuildable(
            FailureCode.SOURCE_UNREADABLE,
            f"The data of the repository cannot be read ({type(error).__name__}); "
            "run `git fsck` on it, or push it again to a new repository.",
        ) from error


def _kind(mode: int) -> Kind:
    if S_ISGITLINK(mode):
        return Kind.SUBMODULE
    if stat.S_ISLNK(mode):
        return Kind.LINK
    return Kind.FOLDER if stat.S_ISDIR(mode) else Kind.FILE


def _expect(found: object, kind: type[Found]) -> Found:
    if not isinstance(found, kind):
        raise TypeError(f"expected a {kind.__name__}, found a {type(found).__name__}")
    return found

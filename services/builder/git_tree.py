"""A commit's files, read straight out of git's object store: no work tree, no hooks, no filters, no links followed."""

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import TypeVar

import structlog
from dulwich.object_store import BaseObjectStore
from dulwich.objects import S_ISGITLINK, Blob, Commit, ObjectID, Tag
from dulwich.objects import Tree as GitTreeObject

from services.builder.errors import Unbuildable, Unreachable
from services.builder.tree import MAX_FILE_BYTES, Kind, TooLarge

MAX_TAG_CHAIN = 8
Found = TypeVar("Found")

log = structlog.get_logger()


class GitTree:
    """The tree of one commit. Where large blobs were left out of a fetch, a blob that is absent is too large."""

    def __init__(self, store: BaseObjectStore, root: ObjectID, *, without_large_blobs: bool) -> None:
        self._store = store
        self._root = root
        self._without_large_blobs = without_large_blobs

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

    def _entry(self, path: PurePosixPath) -> tuple[int, ObjectID] | None:
        mode, name = stat.S_IFDIR, self._root
        for part in path.parts:
            if _kind(mode) is not Kind.FOLDER:
                return None
            folder = _expect(self._store[name], GitTreeObject)
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
            f"The data of the repository cannot be read ({type(error).__name__}); "
            "run `git fsck` on it, or push it again to a new repository."
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

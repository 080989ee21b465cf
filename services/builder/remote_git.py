"""Fetching from a host: one commit of one branch, without history and without huge files."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

from dulwich.errors import GitProtocolError, HangupException
from dulwich.object_store import DiskObjectStore, ObjectStoreGraphWalker
from dulwich.objects import ObjectID
from dulwich.refs import HEADREF, Ref

from events.refusals import FailureCode
from services.builder.errors import Unbuildable, Unreachable
from services.builder.git import HEADS, TAGS, Source, commit_source, wanted
from services.builder.git_tree import MAX_BLOB_BYTES, stumbling_told
from services.builder.wording import quoted
from services.builder.workdir import build_folder
from services.kit.settings import BuilderSettings

# How a client of dulwich fetches: its `fetch_pack`.
FetchPack = Callable[..., Any]


@contextmanager
def remote_source(
    fetch_pack: FetchPack,
    path: str,
    url: str,
    branch: str | None,
    settings: BuilderSettings,
    abandoned: threading.Event,
) -> Iterator[Source]:
    """Fetch the head of `branch` into a temporary object store, which is gone after the block."""
    with (
        build_folder(settings.work_dir) as folder,
        closing(DiskObjectStore.init(folder / "objects")) as store,
    ):
        with stumbling_told():
            name = _fetch(fetch_pack, path, url, branch, store)
        yield commit_source(store, name, abandoned, without_large_blobs=True)


def _fetch(fetch_pack: FetchPack, path: str, url: str, branch: str | None, store: DiskObjectStore) -> ObjectID:
    """Fetch into `store` what `branch` points to, and return its name."""
    names: list[ObjectID] = []

    def determine_wants(refs: Mapping[Ref, ObjectID], depth: int | None = None) -> list[ObjectID]:  # noqa: ARG001 - dulwich's
        names[:] = [wanted(refs, branch)]
        return names

    pack, commit, abort = store.add_pack()
    try:
        _fetch_pack(fetch_pack, path, url, branch, determine_wants, pack.write)
    except BaseException:
        abort()
        raise
    commit()
    return names[0]


def _fetch_pack(
    fetch_pack: FetchPack,
    path: str,
    url: str,
    branch: str | None,
    determine_wants: Callable[..., list[ObjectID]],
    write: Callable[[bytes], int],
) -> None:
    prefixes = [HEADREF, HEADS, *([TAGS + branch.encode(errors="surrogatepass")] if branch else [])]
    try:
        fetch_pack(
            path,
            determine_wants,
            ObjectStoreGraphWalker([], lambda _: []),
            write,
            depth=1,
            ref_prefix=prefixes,
            # The limit leaves out blobs of its own size too.
            filter_spec=b"blob:limit=%d" % (MAX_BLOB_BYTES + 1),
        )
    except HangupException as error:
        raise Unreachable(f"{quoted(url)} hung up") from error
    except GitProtocolError as error:
        raise Unbuildable(
            FailureCode.SOURCE_UNREADABLE, f"{quoted(url)} could not be fetched: {quoted(str(error))}."
        ) from error

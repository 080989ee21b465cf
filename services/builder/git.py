"""What is the same for every git repository, wherever it comes from: the branch, its commit, the tree."""

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass

from dulwich.object_store import BaseObjectStore
from dulwich.objects import ObjectID
from dulwich.refs import HEADREF, Ref

from events.refusals import FailureCode
from services.builder.errors import Unbuildable
from services.builder.git_tree import GitTree, commit_named
from services.builder.tree import Tree
from services.builder.wording import listed, quoted

ORIGIN = "git_repository"
HEADS = b"refs/heads/"
TAGS = b"refs/tags/"

_SHA1 = re.compile(rb"[0-9a-f]{40}")
_SHA256 = re.compile(rb"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Source:
    """A step's source: its files, at a commit where they come from git, and the name of the archive that is kept."""

    commit_id: str | None
    tree: Tree
    kept: str | None = None
    origin: str = ORIGIN


def refuse_sha256() -> Unbuildable:
    """Return the refusal of a repository that names its objects by SHA-256."""
    return Unbuildable(
        FailureCode.REPOSITORY_UNSUPPORTED,
        "The repository names its objects by SHA-256, which cannot be read yet; use a SHA-1 repository.",
    )


def wanted(refs: Mapping[Ref, ObjectID], branch: str | None) -> ObjectID:
    """Return the name of the object that `branch`, or else the default branch, points to. Raises Unbuildable."""
    name = _named(refs, branch) if branch else refs.get(HEADREF)
    if name is None:
        raise Unbuildable(
            FailureCode.BRANCH_NOT_FOUND,
            "The repository has no commit on its default branch; push one, or set container_config.repository_branch.",
        )
    if _SHA256.fullmatch(name):
        raise refuse_sha256()
    if not _SHA1.fullmatch(name):
        raise Unbuildable(
            FailureCode.SOURCE_UNREADABLE, "The branch of the repository does not name a commit; run `git fsck` on it."
        )
    return name


def commit_source(
    store: BaseObjectStore, name: ObjectID, abandoned: threading.Event, *, without_large_blobs: bool = False
) -> Source:
    """Return the source at the commit that `name` is or points to."""
    commit = commit_named(store, name)
    tree = GitTree(store, commit.tree, abandoned, without_large_blobs=without_large_blobs)
    return Source(commit.id.decode(), tree)


def _named(refs: Mapping[Ref, ObjectID], branch: str) -> ObjectID:
    for folder in (HEADS, TAGS):
        name = refs.get(Ref(folder + branch.encode(errors="surrogatepass")))
        if name is not None:
            return name
    heads = sorted(ref.removeprefix(HEADS).decode(errors="replace") for ref in refs if ref.startswith(HEADS))
    there = f"it has {listed([quoted(head) for head in heads])}" if heads else "it has no branch"
    raise Unbuildable(
        FailureCode.BRANCH_NOT_FOUND,
        f"The repository has no branch or tag {quoted(branch)} ({there}); push it or mend repository_branch.",
    )

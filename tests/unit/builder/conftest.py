"""Steps, trees and git repositories for the builder's tests."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from dulwich.index import commit_tree
from dulwich.objects import Blob, Commit, ObjectID
from dulwich.refs import HEADREF, Ref
from dulwich.repo import Repo

from events.resources import Step, StepStatus
from services.builder.tree import MAX_FILE_BYTES, Entry, Kind, TooLarge
from services.kit.settings import BuilderSettings

FILE = 0o100644
LINK = 0o120000
SUBMODULE = 0o160000

GOOD_SOURCE = "def train(rows, rate=0.1):\n    raise RuntimeError('nobody runs me')\n"

MakeStep = Callable[..., Step]
Commits = Callable[..., str]


class FakeTree:
    """A tree of text files; a folder is there when a file is below it."""

    def __init__(self, files: Mapping[str, str | bytes], others: Mapping[str, Kind]) -> None:
        self._files = {PurePosixPath(path): _bytes(content) for path, content in files.items()}
        self._others = {PurePosixPath(path): kind for path, kind in others.items()}

    def kind(self, path: PurePosixPath) -> Kind | None:
        if path in self._files:
            return Kind.FILE
        if path in self._others:
            return self._others[path]
        is_folder = any(path in file.parents for file in self._files)
        return Kind.FOLDER if is_folder else None

    def read(self, path: PurePosixPath) -> bytes | None:
        content = self._files.get(path)
        if content is not None and len(content) > MAX_FILE_BYTES:
            raise TooLarge
        return content

    def entries(self) -> Iterator[Entry]:
        for path, content in self._files.items():
            yield Entry(path, Kind.FILE, False, content)


def _bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content


@pytest.fixture
def make_tree() -> Callable[..., FakeTree]:
    def make(files: Mapping[str, str | bytes], **others: Kind) -> FakeTree:
        return FakeTree(files, others)

    return make


@pytest.fixture
def make_step() -> MakeStep:
    """Make a pending step `train(rows)` in `src/train.py`; keywords change its fields."""

    def make(inputs: tuple[str, ...] = ("rows",), **changes: Any) -> Step:
        fields: dict[str, Any] = {
            "step_name": "train",
            "function_path": "src/train.py",
            "function_name": "train",
            "description": None,
            "inputs": [{"name": name, "data_type": "json"} for name in inputs],
            "outputs": [],
            "container_config": {},
            "status": StepStatus.PENDING,
            "requested_by": "7e3f2d0c-0000-4000-8000-000000000001",
            "created_at": "2026-01-31T12:00:00.000Z",
            "created_by": "ada",
            "updated_at": "2026-01-31T12:00:00.000Z",
        }
        return Step.model_validate(fields | changes)

    return make


@pytest.fixture
def commit() -> Commits:
    """Commit files into the bare or plain repository at a path, which is made when it is not there."""

    def make(
        path: Path,
        files: Mapping[str, str | bytes],
        *,
        branch: str = "main",
        modes: Mapping[str, int] | None = None,
        bare: bool = False,
        parent: str | None = None,
    ) -> str:
        with _open(path, bare=bare) as repo:
            entries = []
            for name, content in files.items():
                mode = (modes or {}).get(name, FILE)
                entries.append((name.encode(), _add(repo, content, mode), mode))
            made = _commit(commit_tree(repo.object_store, entries), parent)
            repo.object_store.add_object(made)
            repo.refs[Ref(f"refs/heads/{branch}".encode())] = made.id
            return made.id.decode()

    return make


def _open(path: Path, *, bare: bool) -> Repo:
    if path.exists() and any(path.iterdir()):
        return Repo(str(path))
    path.mkdir(parents=True, exist_ok=True)
    repo = Repo.init_bare(str(path)) if bare else Repo.init(str(path))
    repo.refs.set_symbolic_ref(HEADREF, Ref(b"refs/heads/main"))
    return repo


def _add(repo: Repo, content: str | bytes, mode: int) -> ObjectID:
    if mode == SUBMODULE:
        return ObjectID(b"1" * 40)
    blob = Blob.from_string(_bytes(content))
    repo.object_store.add_object(blob)
    return blob.id


def _commit(tree: ObjectID, parent: str | None) -> Commit:
    made = Commit()
    made.tree = tree
    made.parents = [ObjectID(parent.encode())] if parent else []
    made.author = made.committer = b"Ada <ada@example.org>"
    made.author_time = made.commit_time = 1_700_000_000
    made.author_timezone = made.commit_timezone = 0
    made.message = b"a commit"
    return made


@pytest.fixture
def settings(tmp_path: Path) -> BuilderSettings:
    """Settings that allow the folder `sources`, and no host."""
    (tmp_path / "sources").mkdir()
    return BuilderSettings(source_roots=[tmp_path / "sources"], allowed_hosts=[], work_dir=tmp_path / "work")

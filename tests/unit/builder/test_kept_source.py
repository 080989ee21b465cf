"""What is kept of a git source: all its files at that commit, the same archive for the same files."""

import io
import tarfile
import threading
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from events.refusals import FailureCode
from services.builder import git_tree
from services.builder.errors import Unbuildable, Unreachable
from services.builder.examine import examine
from services.builder.source import open_source
from services.builder.tree import Kind
from services.kit.archives import Limits, check_archive
from services.kit.settings import BuilderSettings
from tests.unit.builder.bench import ENVIRONMENT, LIMITS, bench_of, examined

FILES = {"src/train.py": "def train(rows): ...\n", "data/é.csv": "1,2\n", "run.sh": "#!/bin/sh\n"}
EXECUTABLE = 0o100755
LINK = 0o120000
SUBMODULE = 0o160000


@pytest.fixture
def repository(settings: BuilderSettings) -> Path:
    return settings.source_roots[0] / "churn"


def step_of(make_step: Any, repository: Path) -> Any:
    return make_step(container_config={"repository_url": str(repository)})


def kept(settings: BuilderSettings, source: str) -> bytes:
    target = io.BytesIO()
    bench_of(settings).objects.fetch(source, target)
    return target.getvalue()


def test_every_file_is_kept_with_its_mode_and_links_that_stay_inside(
    settings: BuilderSettings, make_step: Any, commit: Any, repository: Path
) -> None:
    # Given
    links = {"inside": "src/train.py", "outside": "/etc/passwd", "data/up": "../../outside", "module": ""}
    modes = {"run.sh": EXECUTABLE, **dict.fromkeys(links, LINK), "module": SUBMODULE}
    commit(repository, {**FILES, **links}, modes=modes)
    # When
    data = kept(settings, examined(step_of(make_step, repository), settings).source)
    # Then
    check_archive(io.BytesIO(data), len(data), LIMITS)
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        members = {member.name: (member.mode, member.linkname) for member in tar}
        content = tar.extractfile("data/é.csv")
        assert content
        assert content.read() == b"1,2\n"
    assert members == {
        "src/train.py": (0o644, ""),
        "data/é.csv": (0o644, ""),
        "run.sh": (0o755, ""),
        "inside": (0o644, "src/train.py"),
    }


def test_the_same_files_are_the_same_archive_at_another_commit(
    settings: BuilderSettings, make_step: Any, commit: Any, repository: Path
) -> None:
    first = commit(repository, FILES)
    before = examined(step_of(make_step, repository), settings)
    commit(repository, FILES, parent=first)
    after = examined(step_of(make_step, repository), settings)
    assert before.commit_id != after.commit_id
    assert before.source == after.source


@pytest.mark.parametrize("limits", [Limits(10, 100), Limits(1000, 2)])
def test_too_large_a_source_is_told(
    settings: BuilderSettings, make_step: Any, commit: Any, repository: Path, limits: Limits
) -> None:
    commit(repository, FILES)
    with pytest.raises(Unbuildable) as refused:
        examined(step_of(make_step, repository), settings, limits)
    assert refused.value.code is FailureCode.SOURCE_TOO_LARGE


def test_folders_without_end_are_told(
    settings: BuilderSettings, make_step: Any, commit: Any, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(git_tree, "MAX_FOLDERS", 2)
    commit(repository, FILES)
    with pytest.raises(Unbuildable, match="more than 2 folders"):
        examined(step_of(make_step, repository), settings)


def test_a_repository_of_very_many_entries_is_told_before_they_are_walked(
    settings: BuilderSettings, make_step: Any, commit: Any, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(git_tree, "MAX_ENTRIES", 2)
    commit(repository, FILES)
    with pytest.raises(Unbuildable, match="or more than 2 files") as refused:
        examined(step_of(make_step, repository), settings)
    assert refused.value.code is FailureCode.SOURCE_TOO_LARGE


def test_a_tree_that_is_abandoned_is_read_no_further(settings: BuilderSettings, commit: Any, repository: Path) -> None:
    commit(repository, FILES)
    abandoned = threading.Event()
    with open_source({"repository_url": str(repository)}, settings, abandoned) as source:
        assert source.tree.kind(PurePosixPath("src/train.py")) is Kind.FILE
        abandoned.set()
        with pytest.raises(Unreachable, match="nobody waits"):
            source.tree.kind(PurePosixPath("src/train.py"))
        with pytest.raises(Unreachable, match="nobody waits"):
            next(source.tree.entries())


def test_an_abandoned_build_keeps_nothing(
    settings: BuilderSettings, make_step: Any, commit: Any, repository: Path
) -> None:
    commit(repository, FILES)
    abandoned = threading.Event()
    abandoned.set()
    with pytest.raises(Unreachable, match="nobody waits"):
        examine(ENVIRONMENT, step_of(make_step, repository), bench_of(settings), abandoned)

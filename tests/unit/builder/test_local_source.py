import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from dulwich.objects import Blob, ObjectID, Tag
from dulwich.objects import Commit as GitCommit
from dulwich.refs import Ref
from dulwich.repo import Repo

from services.builder.errors import Unbuildable
from services.builder.source import open_source
from services.builder.tree import MAX_FILE_BYTES, Kind, TooLarge
from services.kit.settings import BuilderSettings
from tests.unit.builder.bench import examined

GOOD = {"src/train.py": "def train(rows): ...\n"}
LINK = 0o120000
SUBMODULE = 0o160000


def reason_for(settings: BuilderSettings, url: Any, **config: Any) -> str:
    with (
        pytest.raises(Unbuildable) as caught,
        open_source({"repository_url": url, **config}, settings, threading.Event()),
    ):
        pytest.fail("the source was opened")
    return str(caught.value)


def test_a_good_step_is_found_at_the_commit_of_the_default_branch(
    settings: BuilderSettings, make_step: Any, commit: Any
) -> None:
    repository = settings.source_roots[0] / "churn"
    commit(repository, {"README.md": "older"})
    head = commit(repository, GOOD)
    step = make_step(container_config={"repository_url": str(repository)})
    assert examined(step, settings).commit_id == head


@pytest.mark.parametrize("bare", [True, False])
@pytest.mark.parametrize("write", [str, Path.as_uri, "file://localhost{}".format], ids=["path", "file", "localhost"])
def test_a_repository_is_named_by_its_path_or_its_file_url(
    settings: BuilderSettings, make_step: Any, commit: Any, write: Callable[[Path], str], bare: bool
) -> None:
    repository = settings.source_roots[0] / "deep" / "churn"
    head = commit(repository, GOOD, bare=bare)
    step = make_step(container_config={"repository_url": write(repository)})
    assert examined(step, settings).commit_id == head


def test_only_what_is_committed_counts(settings: BuilderSettings, make_step: Any, commit: Any) -> None:
    # Given a repository whose work tree holds the file, but whose commit does not
    repository = settings.source_roots[0] / "churn"
    commit(repository, {"README.md": "no code"})
    (repository / "src").mkdir()
    (repository / "src" / "train.py").write_text(GOOD["src/train.py"])
    # When, then
    with pytest.raises(Unbuildable, match="does not exist in the repository"):
        examined(make_step(container_config={"repository_url": str(repository)}), settings)


def test_a_branch_or_a_tag_chooses_the_commit(settings: BuilderSettings, make_step: Any, commit: Any) -> None:
    repository = settings.source_roots[0] / "churn"
    commit(repository, {"README.md": "no code"})
    on_branch = commit(repository, GOOD, branch="feature/train")
    with Repo(str(repository)) as repo:
        tag = annotated_tag(on_branch)
        repo.object_store.add_object(tag)
        repo.refs[Ref(b"refs/tags/v1")] = tag.id
    for name in ("feature/train", "v1"):
        step = make_step(container_config={"repository_url": str(repository), "repository_branch": name})
        assert examined(step, settings).commit_id == on_branch


def annotated_tag(commit_id: str) -> Tag:
    tag = Tag()
    tag.name, tag.message, tag.tagger = b"v1", b"first", b"Ada <ada@example.org>"
    tag.object = (GitCommit, ObjectID(commit_id.encode()))
    tag.tag_time, tag.tag_timezone = 1_700_000_000, 0
    return tag


@pytest.mark.parametrize("branch", ["nope", "../../../etc/passwd", "main\0", "a" * 5000, "\udc80"])
def test_a_branch_that_is_not_there_is_told_with_those_that_are(
    settings: BuilderSettings, commit: Any, branch: str
) -> None:
    repository = settings.source_roots[0] / "churn"
    commit(repository, GOOD)
    commit(repository, GOOD, branch="dev")
    reason = reason_for(settings, str(repository), repository_branch=branch)
    assert reason.startswith("The repository has no branch or tag")
    assert "it has 'dev' and 'main'" in reason


def test_a_repository_without_a_commit_is_refused(settings: BuilderSettings) -> None:
    repository = settings.source_roots[0] / "churn"
    repository.mkdir()
    Repo.init(str(repository)).close()
    assert "has no commit on its default branch" in reason_for(settings, str(repository))


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost/churn.git",
        "https://example.org/churn.git",
        "git://localhost/churn.git",
        "ssh://git@localhost/churn.git",
        "git@localhost:ada/churn.git",
        "file://elsewhere/srv/churn",
        "relative/churn",
        "/etc",
        "/no/such/folder",
        "file:///etc/%2e%2e/etc",
    ],
)
def test_another_source_is_refused_with_what_is_allowed(settings: BuilderSettings, url: str) -> None:
    reason = reason_for(settings, url)
    assert f"use the absolute path of a git repository below {settings.source_roots[0]}" in reason


def test_a_path_that_leads_out_of_the_root_is_refused(settings: BuilderSettings, tmp_path: Path, commit: Any) -> None:
    # Given a good repository outside of the root, and three ways from the root to it
    commit(tmp_path / "outside", GOOD)
    root = settings.source_roots[0]
    (root / "link").symlink_to(tmp_path / "outside")
    # When, then
    for path in (root / ".." / "outside", root / "link", tmp_path / "outside"):
        assert "is not allowed" in reason_for(settings, str(path))


@pytest.mark.parametrize("part", [".git", ".git/objects", ".git/refs"])
def test_a_repository_that_keeps_its_data_outside_of_the_root_is_refused(
    settings: BuilderSettings, tmp_path: Path, commit: Any, part: str
) -> None:
    commit(tmp_path / "outside", GOOD)
    commit(settings.source_roots[0] / "churn", GOOD)
    inside = settings.source_roots[0] / "churn" / part
    shutil.rmtree(inside)
    inside.symlink_to(tmp_path / "outside" / part)
    assert "outside of" in reason_for(settings, str(settings.source_roots[0] / "churn"))


def test_a_root_that_is_a_link_itself_counts(
    settings: BuilderSettings, tmp_path: Path, make_step: Any, commit: Any
) -> None:
    head = commit(settings.source_roots[0] / "churn", GOOD)
    (tmp_path / "root").symlink_to(settings.source_roots[0])
    linked = settings.model_copy(update={"source_roots": [tmp_path / "root"]})
    step = make_step(container_config={"repository_url": str(tmp_path / "root" / "churn")})
    assert examined(step, linked).commit_id == head


@pytest.mark.parametrize(
    ("file", "content", "reason"),
    [
        (".git/objects/info/alternates", "/elsewhere/objects\n", "borrows the objects of another one"),
        (".git/commondir", "../elsewhere\n", "borrows the objects of another one"),
        (".git/config", "[extensions]\n\trefStorage = reftable\n", "as a reftable"),
        (".git/config", "[extensions]\n\tobjectFormat = sha256\n", "by SHA-256"),
        (".git/config", "no configuration\n", "cannot be read"),
        (".git/packed-refs", "", "cannot be read"),
        (".git/refs/heads/main", "root:x:0:0\n", "does not name a commit"),
        (".git/refs/heads/main", "0" * 39 + "1\n", "cannot be read"),
        (".git/refs/heads/main", "1" * 64 + "\n", "by SHA-256"),
    ],
)
def test_a_repository_that_cannot_be_read_is_told_apart(
    settings: BuilderSettings, commit: Any, file: str, content: str, reason: str
) -> None:
    repository = settings.source_roots[0] / "churn"
    commit(repository, GOOD)
    (repository / file).write_text(content)
    told = reason_for(settings, str(repository))
    assert reason in told
    assert "root:x" not in told


def test_the_configuration_of_a_repository_includes_no_other_file(
    settings: BuilderSettings, tmp_path: Path, make_step: Any, commit: Any
) -> None:
    # Given a configuration that would include a file which cannot be read as one
    repository = settings.source_roots[0] / "churn"
    head = commit(repository, GOOD)
    (tmp_path / "secret").write_text("no configuration\n")
    with (repository / ".git" / "config").open("a") as config:
        config.write(f"[include]\n\tpath = {tmp_path / 'secret'}\n")
    # When, then
    step = make_step(container_config={"repository_url": str(repository)})
    assert examined(step, settings).commit_id == head


def test_damaged_objects_are_told_as_damage(settings: BuilderSettings, make_step: Any, commit: Any) -> None:
    repository = settings.source_roots[0] / "churn"
    commit(repository, GOOD)
    blob = Blob.from_string(GOOD["src/train.py"].encode()).id.decode()
    damaged = repository / ".git" / "objects" / blob[:2] / blob[2:]
    damaged.chmod(0o600)
    damaged.write_bytes(b"damage")
    with pytest.raises(Unbuildable, match="git fsck"):
        examined(make_step(container_config={"repository_url": str(repository)}), settings)


def test_files_in_the_place_of_folders_are_told(settings: BuilderSettings, commit: Any) -> None:
    repository = settings.source_roots[0] / "churn"
    commit(repository, GOOD)
    (repository / ".git" / "packed-refs").mkdir()
    assert "cannot read the repository" in reason_for(settings, str(repository))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("plain", "run `git init`"),
        ("missing", "There is no folder"),
        ("plain/file", "There is no folder"),
        ("a" * 300, "cannot read the repository"),
    ],
)
def test_what_is_no_repository_is_told_in_words(settings: BuilderSettings, name: str, reason: str) -> None:
    (settings.source_roots[0] / "plain").mkdir()
    (settings.source_roots[0] / "plain" / "file").write_text("text")
    assert reason in reason_for(settings, str(settings.source_roots[0] / name))


def test_a_linked_work_tree_is_refused(settings: BuilderSettings) -> None:
    folder = settings.source_roots[0] / "linked"
    folder.mkdir()
    (folder / ".git").write_text("gitdir: /elsewhere/.git/worktrees/linked\n")
    assert "linked work tree" in reason_for(settings, str(folder))


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({}, "set container_config.repository_url"),
        ({"repository_url": None}, "set container_config.repository_url"),
        ({"repository_url": ""}, "set container_config.repository_url"),
        ({"repository_url": ["/srv"]}, "repository_url must be text"),
        ({"repository_url": "https://[broken"}, "is no URL"),
        ({"repository_url": "/srv\0"}, "no path that can be followed"),
        ({"repository_url": "/srv", "repository_branch": 7}, "repository_branch must be text"),
    ],
)
def test_a_step_that_names_no_usable_source_is_told_what_to_set(
    settings: BuilderSettings, config: dict[str, Any], reason: str
) -> None:
    with pytest.raises(Unbuildable, match=reason), open_source(config, settings, threading.Event()):
        pytest.fail("the source was opened")


def test_the_tree_tells_files_folders_links_and_submodules_apart_and_follows_none(
    settings: BuilderSettings, commit: Any
) -> None:
    repository = settings.source_roots[0] / "churn"
    files = {"a/b.py": "1", "link": "/etc/passwd", "module": "", "large": "x" * (MAX_FILE_BYTES + 1)}
    commit(repository, files, modes={"link": LINK, "module": SUBMODULE})
    with open_source({"repository_url": str(repository)}, settings, threading.Event()) as source:
        kinds = {name: source.tree.kind(PurePosixPath(name)) for name in (".", "a", "a/b.py", "link", "module", "no")}
        assert kinds == {
            ".": Kind.FOLDER,
            "a": Kind.FOLDER,
            "a/b.py": Kind.FILE,
            "link": Kind.LINK,
            "module": Kind.SUBMODULE,
            "no": None,
        }
        assert source.tree.read(PurePosixPath("a/b.py")) == b"1"
        for nowhere in ("a", "link", "link/x", "module/x", "a/b.py/c", "no/no"):
            assert source.tree.read(PurePosixPath(nowhere)) is None
        with pytest.raises(TooLarge):
            source.tree.read(PurePosixPath("large"))


def test_a_packed_repository_is_read_and_not_changed(settings: BuilderSettings, make_step: Any, commit: Any) -> None:
    # Given a repository whose objects and refs are packed
    repository = settings.source_roots[0] / "churn"
    head = commit(repository, GOOD)
    with Repo(str(repository)) as repo:
        repo.object_store.pack_loose_objects()
        repo.refs.pack_refs(all=True)
    before = snapshot(repository)
    # When
    step = make_step(container_config={"repository_url": str(repository)})
    # Then
    assert examined(step, settings).commit_id == head
    assert snapshot(repository) == before


def snapshot(folder: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in folder.rglob("*")}


def test_trouble_of_our_own_passes(settings: BuilderSettings, commit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a disk that fails
    repository = settings.source_roots[0] / "churn"
    commit(repository, GOOD)

    def fail(*_: object, **__: object) -> None:
        raise OSError(5, os.strerror(5))

    monkeypatch.setattr("services.builder.local_git.DiskRefsContainer.as_dict", fail)
    # When, then
    with (
        pytest.raises(OSError, match=os.strerror(5)),
        open_source({"repository_url": str(repository)}, settings, threading.Event()),
    ):
        pytest.fail("the source was opened")

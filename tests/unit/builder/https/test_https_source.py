import os
import threading
from pathlib import Path
from typing import Any

import pytest
from dulwich.repo import Repo

from events.refusals import FailureCode
from services.builder import budget, remote_git
from services.builder.errors import Unbuildable, Unreachable
from services.builder.source import open_source
from services.builder.tree import MAX_FILE_BYTES
from services.kit.settings import BuilderSettings
from tests.unit.builder.bench import examined

GOOD = {"src/train.py": "def train(rows): ...\n"}


@pytest.fixture
def allowed(host: Any, settings: BuilderSettings) -> BuilderSettings:
    return settings.model_copy(update={"allowed_hosts": [host.name]})


def fetch(settings: BuilderSettings, url: str, **config: Any) -> str | None:
    with open_source({"repository_url": url, **config}, settings, threading.Event()) as source:
        return source.commit_id


@pytest.mark.parametrize("path", ["/churn.git", "/churn.git/"])
def test_a_step_is_fetched_over_https_and_nothing_is_left_behind(
    allowed: BuilderSettings, host: Any, make_step: Any, tmp_path: Path, path: str
) -> None:
    step = make_step(container_config={"repository_url": host.url(path)})
    with Repo(str(tmp_path / "churn.git")) as repo:
        head = repo.head().decode()
    assert examined(step, allowed).commit_id == head
    assert list(allowed.work_dir.iterdir()) == []


def test_a_branch_is_fetched_by_its_name(allowed: BuilderSettings, host: Any, commit: Any, tmp_path: Path) -> None:
    on_branch = commit(tmp_path / "churn.git", {"new.py": "1"}, branch="dev")
    assert fetch(allowed, host.url("/churn.git"), repository_branch="dev") == on_branch
    with pytest.raises(Unbuildable, match="it has 'dev' and 'main'"):
        fetch(allowed, host.url("/churn.git"), repository_branch="nope")


def test_a_file_over_the_limit_is_too_large_over_https_too(
    allowed: BuilderSettings, host: Any, make_step: Any, commit: Any, tmp_path: Path
) -> None:
    commit(tmp_path / "churn.git", {"src/train.py": "#" * (MAX_FILE_BYTES + 1)})
    step = make_step(container_config={"repository_url": host.url("/churn.git")})
    with pytest.raises(Unbuildable, match="larger than 1024 KiB"):
        examined(step, allowed)


def test_history_is_not_fetched(
    allowed: BuilderSettings, host: Any, commit: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a file in an older commit that would break the limit
    older = commit(tmp_path / "churn.git", {**GOOD, "data.bin": os.urandom(MAX_FILE_BYTES // 2)})
    head = commit(tmp_path / "churn.git", GOOD, parent=older)
    monkeypatch.setattr(budget, "MAX_FETCHED_BYTES", MAX_FILE_BYTES // 4)
    # When, then
    assert fetch(allowed, host.url("/churn.git")) == head


@pytest.mark.parametrize("application", ["git"], indirect=True)
def test_a_huge_file_beside_the_code_is_not_fetched_and_named(
    allowed: BuilderSettings, host: Any, make_step: Any, commit: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given data that would break the limit, and is random so that it does not shrink on the way
    commit(tmp_path / "churn.git", {**GOOD, "model.bin": os.urandom(MAX_FILE_BYTES + 1)})
    monkeypatch.setattr(budget, "MAX_FETCHED_BYTES", MAX_FILE_BYTES)
    monkeypatch.setattr(remote_git, "MAX_BLOB_BYTES", MAX_FILE_BYTES)
    # When, then
    step = make_step(container_config={"repository_url": host.url("/churn.git")})
    with pytest.raises(Unbuildable, match=r"model\.bin") as refused:
        examined(step, allowed)
    assert refused.value.code is FailureCode.SOURCE_TOO_LARGE


def test_an_empty_repository_is_told(allowed: BuilderSettings, host: Any) -> None:
    with pytest.raises(Unbuildable, match="has no commit on its default branch"):
        fetch(allowed, host.url("/empty.git"))


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/churn.git",
        "https://{host}@example.org/churn.git",
        "https://ada:secret@{host}/churn.git",
        "https://{host}/churn.git?service=x",
        "https://{host}/churn.git#main",
        "http://{host}/churn.git",
        "https://{host}.example.org/churn.git",
    ],
)
def test_a_url_beside_the_allowed_hosts_is_refused_before_anyone_is_asked(
    allowed: BuilderSettings, host: Any, url: str
) -> None:
    with pytest.raises(Unbuildable, match=f"use an https URL .* on {host.name}") as caught:
        fetch(allowed, url.format(host=host.name))
    assert host.asked == []
    assert "secret" not in str(caught.value)


def test_a_redirect_to_another_host_is_not_followed(allowed: BuilderSettings, host: Any) -> None:
    target = f"https://localhost:{host.name.split(':')[1]}/churn.git/info/refs?service=git-upload-pack"
    host.answers["/moved.git"] = ("301 Moved Permanently", {"Location": target}, b"")
    with pytest.raises(Unbuildable, match=r"leads to 'https://localhost:\d+', which is not allowed"):
        fetch(allowed, host.url("/moved.git"))
    assert host.asked == ["/moved.git/info/refs"]


def test_a_redirect_on_an_allowed_host_is_followed(allowed: BuilderSettings, host: Any) -> None:
    target = host.url("/churn.git/info/refs?service=git-upload-pack")
    host.answers["/old.git"] = ("301 Moved Permanently", {"Location": target}, b"")
    assert fetch(allowed, host.url("/old.git")) == fetch(allowed, host.url("/churn.git"))


HTML = {"Content-Type": "text/html"}
ADVERTISED = {"Content-Type": "application/x-git-upload-pack-advertisement"}


@pytest.mark.parametrize(
    ("status", "headers", "body", "error", "reason"),
    [
        ("404 Not Found", HTML, b"", Unbuildable, "can be read without credentials"),
        ("401 Unauthorized", HTML, b"", Unbuildable, "can be read without credentials"),
        ("200 OK", HTML, b"<html>", Unbuildable, "is no git repository"),
        ("410 Gone", HTML, b"", Unbuildable, "is no git repository"),
        ("200 OK", ADVERTISED, b"noise", Unbuildable, "could not be fetched"),
        ("200 OK", ADVERTISED, b"", Unreachable, "hung up"),
        ("503 Service Unavailable", HTML, b"", Unreachable, "answered 503"),
        ("429 Too Many Requests", HTML, b"", Unreachable, "answered 429"),
    ],
)
def test_what_the_host_answers_is_the_users_or_the_hosts_fault(
    allowed: BuilderSettings,
    host: Any,
    status: str,
    headers: dict[str, str],
    body: bytes,
    error: type[Exception],
    reason: str,
) -> None:
    host.answers["/x.git"] = (status, headers, body)
    with pytest.raises(error, match=reason):
        fetch(allowed, host.url("/x.git"))
    assert list(allowed.work_dir.iterdir()) == []


def test_a_host_that_does_not_listen_is_unreachable(settings: BuilderSettings, unused_tcp_port: int) -> None:
    host = f"127.0.0.1:{unused_tcp_port}"
    with pytest.raises(Unreachable):
        fetch(settings.model_copy(update={"allowed_hosts": [host]}), f"https://{host}/churn.git")


def test_a_certificate_that_nobody_vouches_for_is_not_trusted(
    allowed: BuilderSettings, host: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(Unreachable, match="certificate"):
        fetch(allowed, host.url("/churn.git"))


def test_a_fetch_ends_when_it_has_read_too_much(
    allowed: BuilderSettings, host: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budget, "MAX_FETCHED_BYTES", 100)
    with pytest.raises(Unbuildable, match="keep data and models out of it"):
        fetch(allowed, host.url("/churn.git"))


def test_a_fetch_ends_when_it_was_abandoned(allowed: BuilderSettings, host: Any) -> None:
    abandoned = threading.Event()
    abandoned.set()
    with (
        pytest.raises(Unreachable, match="nobody waits"),
        open_source({"repository_url": host.url("/churn.git")}, allowed, abandoned),
    ):
        pytest.fail("the source was opened")

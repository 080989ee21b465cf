"""Steps from ssh hosts, read with their own deploy key."""

import base64
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paramiko
import pytest
from dulwich.repo import Repo

from events.refusals import FailureCode
from services.builder import budget, ssh_git
from services.builder.errors import Unbuildable, Unreachable
from services.builder.examine import examine
from services.builder.source import open_source
from services.builder.ssh_git import SshAddress, ssh_address
from services.kit.sealing import deploy_key_context
from services.kit.settings import BuilderSettings
from tests.unit.builder.bench import ENVIRONMENT, bench_of

from .conftest import SshHost, new_key


def fetch(settings: BuilderSettings, url: str, key: str | None, **config: Any) -> str | None:
    given = {"repository_url": url, **config}
    with open_source(given, settings, threading.Event(), key) as source:
        return source.commit_id


def failure(settings: BuilderSettings, url: str, key: str | None) -> Unbuildable:
    with pytest.raises(Unbuildable) as refused:
        fetch(settings, url, key)
    return refused.value


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("git@github.com:ada/churn.git", SshAddress("git", "github.com", 22, "ada/churn.git")),
        ("ssh://git@GitHub.com/ada/churn.git", SshAddress("git", "github.com", 22, "/ada/churn.git")),
        ("ssh://git.example.org:2222/churn", SshAddress("git", "git.example.org", 2222, "/churn")),
    ],
)
def test_both_ways_to_write_an_address_are_understood(url: str, address: SshAddress) -> None:
    assert ssh_address(url) == address


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/ada/churn.git",
        "/srv/churn",
        "ssh://",
        "ssh://host",
        "ssh://-oProxyCommand=x/churn",
        "ssh://ada:secret@host/churn",
        "git@-host:x y",
        "host:churn",
        "git@host:churn\0",
    ],
)
def test_what_is_no_address_of_ssh_is_left_to_others(url: str) -> None:
    address = ssh_address(url)
    assert address is None or address.host.startswith("-")


def test_a_step_is_built_with_its_sealed_key_and_kept(
    ssh_host: SshHost, by_ssh: BuilderSettings, make_step: Any, tmp_path: Path
) -> None:
    # Given
    bench = bench_of(by_ssh)
    sealed = bench.sealer.seal(ssh_host.deploy_key, context=deploy_key_context(ENVIRONMENT, "train"))
    config = {"repository_url": ssh_host.url("/churn.git")}
    step = make_step(container_config=config, sealed_deploy_key=sealed)
    # When
    built = examine(ENVIRONMENT, step, bench, threading.Event())
    # Then
    with Repo(str(tmp_path / "churn.git")) as repo:
        assert built.commit_id == repo.head().decode()
    assert built.source.startswith("sha256:")
    assert ssh_host.ran == ["git-upload-pack '/churn.git'"]


def test_a_key_that_was_sealed_for_another_step_is_not_used(
    by_ssh: BuilderSettings, ssh_host: SshHost, make_step: Any
) -> None:
    bench = bench_of(by_ssh)
    sealed = bench.sealer.seal(ssh_host.deploy_key, context=deploy_key_context(ENVIRONMENT, "other"))
    step = make_step(container_config={"repository_url": ssh_host.url("/churn.git")}, sealed_deploy_key=sealed)
    with pytest.raises(Unbuildable) as refused:
        examine(ENVIRONMENT, step, bench, threading.Event())
    assert refused.value.code is FailureCode.DEPLOY_KEY_REFUSED
    assert ssh_host.ran == []


def test_a_branch_is_fetched_by_its_name(
    ssh_host: SshHost, by_ssh: BuilderSettings, commit: Any, tmp_path: Path
) -> None:
    on_branch = commit(tmp_path / "churn.git", {"new.py": "1"}, branch="dev")
    assert fetch(by_ssh, ssh_host.url("/churn.git"), ssh_host.deploy_key, repository_branch="dev") == on_branch


def test_a_repository_that_is_not_there_is_told(ssh_host: SshHost, by_ssh: BuilderSettings) -> None:
    told = failure(by_ssh, ssh_host.url("/nothing.git"), ssh_host.deploy_key)
    assert told.code is FailureCode.REPOSITORY_NOT_FOUND


@pytest.mark.parametrize("key", [None, "", "no key", new_key()[:100]])
def test_without_a_key_that_can_be_used_nothing_is_connected(
    ssh_host: SshHost, by_ssh: BuilderSettings, key: str | None
) -> None:
    told = failure(by_ssh, ssh_host.url("/churn.git"), key)
    assert told.code is FailureCode.DEPLOY_KEY_REFUSED
    assert ssh_host.ran == []


def _damaged_keys() -> Iterator[str]:
    first, *lines, last = new_key().splitlines()
    raw = base64.b64decode("".join(lines))
    for place in range(0, len(raw), 7):
        for damaged in (raw[:place], raw[:place] + b"\xff" + raw[place + 1 :]):
            yield "\n".join([first, base64.b64encode(damaged).decode(), last])


def test_a_damaged_key_is_refused_or_read_and_breaks_nothing() -> None:
    refusals = []
    for key in _damaged_keys():
        try:
            assert isinstance(ssh_git._private_key(key), paramiko.PKey)
        except Unbuildable as refused:
            refusals.append(refused.code)
    assert set(refusals) == {FailureCode.DEPLOY_KEY_REFUSED}
    assert len(refusals) > 10


def test_a_key_that_the_host_does_not_take_is_told_and_not_quoted(ssh_host: SshHost, by_ssh: BuilderSettings) -> None:
    key = new_key()
    told = failure(by_ssh, ssh_host.url("/churn.git"), key)
    assert told.code is FailureCode.DEPLOY_KEY_REFUSED
    assert key.splitlines()[1] not in str(told)


@pytest.mark.parametrize("known", ["nothing", "another key"])
def test_a_host_whose_key_is_not_the_known_one_gets_nothing(
    ssh_host: SshHost, by_ssh: BuilderSettings, known: str
) -> None:
    assert by_ssh.ssh_known_hosts_file
    other = ssh_host.known_hosts(paramiko.RSAKey.generate(2048)) if known == "another key" else ""
    by_ssh.ssh_known_hosts_file.write_text(other)
    told = failure(by_ssh, ssh_host.url("/churn.git"), ssh_host.deploy_key)
    assert told.code is FailureCode.SOURCE_NOT_ALLOWED
    assert ssh_host.ran == []


@pytest.mark.parametrize("change", [{"allowed_hosts": []}, {"ssh_known_hosts_file": None}])
def test_a_host_that_is_not_allowed_is_not_asked(
    ssh_host: SshHost, by_ssh: BuilderSettings, change: dict[str, Any]
) -> None:
    told = failure(by_ssh.model_copy(update=change), ssh_host.url("/churn.git"), ssh_host.deploy_key)
    assert told.code is FailureCode.SOURCE_NOT_ALLOWED


def test_a_silent_host_is_unreachable(
    ssh_host: SshHost, by_ssh: BuilderSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ssh_git, "SILENCE_S", 0.5)
    ssh_host.answers = False
    with pytest.raises(Unreachable, match="silent"):
        fetch(by_ssh, ssh_host.url("/churn.git"), ssh_host.deploy_key)


def test_too_large_a_repository_is_told(
    ssh_host: SshHost, by_ssh: BuilderSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budget, "MAX_FETCHED_BYTES", 100)
    assert failure(by_ssh, ssh_host.url("/churn.git"), ssh_host.deploy_key).code is FailureCode.SOURCE_TOO_LARGE


def test_an_abandoned_fetch_ends(ssh_host: SshHost, by_ssh: BuilderSettings) -> None:
    abandoned = threading.Event()
    abandoned.set()
    config = {"repository_url": ssh_host.url("/churn.git")}
    with pytest.raises(Unreachable), open_source(config, by_ssh, abandoned, ssh_host.deploy_key):
        pytest.fail("the source was opened")

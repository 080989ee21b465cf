"""Where address and token come from."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from pipeloom.cli import profiles
from pipeloom.cli.exits import ExitCode

Pipeloom = Callable[[str], Result]

TWO = """
[profiles.default]
url = "http://default.test"
token = "d"
[profiles.staging]
url = "http://staging.test"
token = "s"
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A config file with two profiles, in an environment that says nothing."""
    monkeypatch.setattr("typer.get_app_dir", lambda name: str(tmp_path / name))
    for name in ("PIPELOOM_URL", "PIPELOOM_SDK_TOKEN", "CRAFT_AI_SDK_TOKEN", "PIPELOOM_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    path = tmp_path / "pipeloom/config.toml"
    path.parent.mkdir()
    path.write_text(TWO)
    return path


@pytest.mark.parametrize(
    ("chosen", "variables", "address", "token"),
    [
        (None, {}, "http://default.test", "d"),
        (None, {"PIPELOOM_PROFILE": "staging"}, "http://staging.test", "s"),
        (None, {"PIPELOOM_URL": "http://env.test", "CRAFT_AI_SDK_TOKEN": "e"}, "http://env.test", "e"),
        (
            None,
            {"PIPELOOM_URL": "http://env.test", "PIPELOOM_SDK_TOKEN": "p", "CRAFT_AI_SDK_TOKEN": "e"},
            "http://env.test",
            "p",
        ),
        (
            None,
            {"PIPELOOM_URL": "http://env.test", "PIPELOOM_SDK_TOKEN": "p", "PIPELOOM_PROFILE": "staging"},
            "http://env.test",
            "p",
        ),
        (None, {"PIPELOOM_URL": "http://env.test"}, "http://env.test", None),
        (None, {"PIPELOOM_SDK_TOKEN": "p"}, "http://default.test", "d"),
        ("staging", {"PIPELOOM_URL": "http://env.test", "PIPELOOM_SDK_TOKEN": "p"}, "http://staging.test", "s"),
        ("staging", {"PIPELOOM_PROFILE": "default"}, "http://staging.test", "s"),
    ],
)
@pytest.mark.usefixtures("config")
def test_the_first_source_gives_both_address_and_token(
    monkeypatch: pytest.MonkeyPatch, chosen: str | None, variables: dict[str, str], address: str, token: str | None
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    profiles.choose(chosen)
    access = profiles.access()
    assert (access.url, access.sdk_token) == (address, token)


@pytest.mark.usefixtures("config")
def test_what_is_in_use_is_shown_without_the_token(pipeloom: Pipeloom) -> None:
    shown = json.loads(pipeloom("--profile staging config show -o json").stdout)
    assert (shown["url"], shown["token"], shown["profiles"]) == (
        "http://staging.test",
        "is set",
        ["default", "staging"],
    )
    assert "--profile" in shown["from"]


def test_without_a_file_and_variables_nothing_is_in_use(pipeloom: Pipeloom, config: Path) -> None:
    config.unlink()
    result = pipeloom("config show -o json")
    assert result.exit_code == ExitCode.DONE
    assert json.loads(result.stdout)["url"] is None


@pytest.mark.parametrize(
    ("content", "words", "told"),
    [
        (TWO, "--profile ghost", "There is no profile 'ghost'"),
        ("profiles = 3", "", "[profiles.NAME]"),
        ("not toml", "", "cannot be read"),
        ("[profiles.default]\nurl = 'http://x.test'", "", "needs two texts"),
        ("[profiles]\ndefault = 3", "", "needs two texts"),
        ("[profiles.default]\nurl = 1\ntoken = 'x'", "", "needs two texts"),
    ],
)
def test_a_profile_that_cannot_be_used_is_told(
    pipeloom: Pipeloom, config: Path, content: str, words: str, told: str
) -> None:
    config.write_text(content)
    for command in ("config show", "steps list"):
        result = pipeloom(f"{words} {command}")
        assert result.exit_code == ExitCode.USAGE
        assert told in result.stderr
        assert "config.toml" in result.stderr


def test_a_chosen_profile_does_not_stay_for_the_next_command(pipeloom: Pipeloom, config: Path) -> None:
    pipeloom("--profile staging config show")
    assert json.loads(pipeloom("config show -o json").stdout)["url"] == "http://default.test"

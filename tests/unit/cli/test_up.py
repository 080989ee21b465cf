"""What `pipeloom up` tells to type works where it was started."""

import sys
from pathlib import Path

import pytest

from pipeloom.cli.up import as_started


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "bin").mkdir()
    for name in ("python", "pipeloom"):
        (tmp_path / "bin" / name).touch(mode=0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bin" / "python"))
    return tmp_path


def test_a_module_is_named_with_its_python(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", [str(folder / "site" / "pipeloom" / "__main__.py"), "up"])
    assert as_started() == "./bin/python -m pipeloom"


def test_a_program_that_is_not_on_the_path_is_named_by_its_place(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", [str(folder / "bin" / "pipeloom"), "up"])
    assert as_started() == "./bin/pipeloom"


def test_a_program_on_the_path_is_named_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(folder / "bin"))
    monkeypatch.setattr(sys, "argv", [str(folder / "bin" / "pipeloom"), "up"])
    assert as_started() == "pipeloom"

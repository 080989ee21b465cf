"""What a person sees while a step is packed, uploaded and built, and what is told when that cannot begin."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import typer

from pipeloom.cli import building
from pipeloom.cli.exits import ExitCode


class Line:
    """Remembers what a person would see."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    @contextmanager
    def waiting(self, message: str) -> Iterator["Line"]:
        self.update(message)
        yield self

    def update(self, message: str) -> None:
        self.seen.append(message)


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> Line:
    line = Line()
    monkeypatch.setattr(building, "waiting", line.waiting)
    return line


def test_a_folder_is_packed_uploaded_and_built(line: Line) -> None:
    with building.building("train", Path("churn")) as on_upload:
        on_upload(1_500_000, 3_000_000)
        on_upload(3_000_000, 3_000_000)
    assert line.seen == ["Packing 'churn' …", "Uploading 1.5 of 3.0 MB …", "Building the step 'train' …"]


def test_a_repository_is_built(line: Line) -> None:
    with building.building("train"):
        assert line.seen == ["Building the step 'train' …"]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (PermissionError(13, "Permission denied", "churn/key"), "churn/key: Permission denied."),
        (FileNotFoundError("There is no 'a.py' in the folder 'churn'"), "There is no 'a.py' in the folder 'churn'."),
        (ValueError("'../a' leads out"), "'../a' leads out."),
    ],
)
def test_a_file_that_cannot_be_used_is_wrong_usage(
    capsys: pytest.CaptureFixture[str], error: Exception, told: str
) -> None:
    with pytest.raises(typer.Exit) as ended, building.usable_files():
        raise error
    assert ended.value.exit_code == ExitCode.USAGE
    assert capsys.readouterr().err == f"{told}\n"

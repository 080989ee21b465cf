"""`pipeloom variables`: values come in by doors that nobody watches, and go out only when they are asked for."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from pipeloom.cli.main import app

from .conftest import Service

Pipeloom = Callable[[str], Result]

SECRET = "s3cret-value"
FOUND = [{"name": "API_KEY", "value": SECRET}, {"name": "REGION", "value": "eu"}]


def set_with(service: Service, stdin: bytes, *assignments: str) -> Any:
    service.answer(200, {})
    result = CliRunner().invoke(app, ["variables", "set", *assignments], input=stdin)
    assert result.exit_code == 0, result.output
    assert SECRET not in result.output
    return json.loads(service.requests[0].content)["environment_variables"]


def test_values_come_from_the_line_from_files_and_from_stdin_together(service: Service, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_bytes(b"-----BEGIN-----\r\nx\n")

    sent = set_with(service, f"{SECRET}\n".encode(), "REGION=a=b", "EMPTY=", f"KEY=@{file}", "API_KEY=-")

    assert sent == {"REGION": "a=b", "EMPTY": "", "KEY": "-----BEGIN-----\r\nx\n", "API_KEY": SECRET}


@pytest.mark.parametrize(
    ("typed", "value"),
    [(b"a", "a"), (b"a\r\n", "a"), (b"a\n\n", "a\n"), (b" a ", " a "), ("é".encode(), "é"), (b"", "")],
)
def test_of_stdin_the_line_break_at_the_end_is_left_out(service: Service, typed: bytes, value: str) -> None:
    assert set_with(service, typed, "A=-") == {"A": value}


def test_at_a_terminal_what_is_typed_is_not_shown(
    pipeloom: Pipeloom, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def answer(prompt: str, stream: object) -> str:
        asked.append(prompt)
        return SECRET

    monkeypatch.setattr("getpass.getpass", answer)
    monkeypatch.setattr("pipeloom.cli.variables._is_terminal", lambda: True)
    assert set_with(service, b"", "A=-") == {"A": SECRET}
    assert asked == ["Value of A (not shown): "]


def test_what_is_no_text_is_told_without_its_content(pipeloom: Pipeloom, service: Service, tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"\xff\xfesecret")
    result = pipeloom(f"variables set A=@{tmp_path}/key")
    assert result.exit_code == 2
    assert "not UTF-8" in " ".join(result.stderr.replace("│", " ").split())
    assert "secret" not in result.stderr
    assert service.requests == []


def test_a_list_masks_what_is_secret(pipeloom: Pipeloom, service: Service) -> None:
    service.answer(200, FOUND)
    header, *rows = pipeloom("variables list").stdout.splitlines()
    assert [header.split(), *(row.split() for row in rows)] == [
        ["name", "value"],
        ["API_KEY", "********"],
        ["REGION", "********"],
    ]


def test_a_program_does_not_mistake_a_mask_for_a_value(pipeloom: Pipeloom, service: Service) -> None:
    service.answer(200, FOUND)
    assert json.loads(pipeloom("variables list -o json").stdout) == [{"name": "API_KEY"}, {"name": "REGION"}]


def test_values_are_shown_when_they_are_asked_for(pipeloom: Pipeloom, service: Service) -> None:
    service.answer(200, FOUND)
    assert json.loads(pipeloom("variables list --show -o json").stdout) == FOUND


def test_no_variables_say_how_to_begin(pipeloom: Pipeloom, service: Service) -> None:
    service.answer(200, [])
    assert "pipeloom variables set" in pipeloom("variables list").stdout


@pytest.mark.parametrize("output", ["table", "json"])
def test_a_deletion_does_not_show_the_last_value(pipeloom: Pipeloom, service: Service, output: str) -> None:
    service.answer(200, FOUND[0])
    result = pipeloom(f"variables delete API_KEY --yes -o {output}")
    assert result.exit_code == 0
    assert "API_KEY" in result.stdout
    assert SECRET not in result.output

"""`pipeloom trace` on files as processes write them, and as they should not."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

Run = Callable[[str], Result]


def line(trace_id: str, span_id: str, parent_id: str | None, second: int, **more: Any) -> str:
    told = {
        "trace_id": trace_id * 32,
        "span_id": span_id * 16,
        "parent_id": parent_id and parent_id * 16,
        "service": "pipeloom-gateway",
        "name": f"span {span_id}",
        "begun": f"2026-01-01T00:00:{second:02}.000000+00:00",
        "duration_ms": 1.25,
    }
    return json.dumps({**told, **more}) + "\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    lines = [
        line("a", "2", "1", 12, attributes={"pipeloom.result": "PipelineCreated"}, links=[{}, {}]),
        line("a", "3", "2", 13, name="evil\x1b[2J\nname"),
        line("a", "1", "f", 11, kind="server"),
        line("a", "4", "1", 14),
        line("b", "5", None, 1, kind="server"),
        line("c", "6", None, 20),
        '{"trace_id": "half of a li\n',
        '["no span"]\n{"trace_id": 1}\n5\n',
        line("a", "7", "1", 15, begun="some day"),
    ]
    (tmp_path / "traces.jsonl").write_text("".join(lines))
    return tmp_path / "traces.jsonl"


def test_the_last_request_is_shown_as_a_tree(pipeloom: Run, file: Path) -> None:
    result = pipeloom(f"trace {file}")
    assert result.exit_code == 0
    assert result.stdout == (
        f"trace {'a' * 32}\n"
        "└── span 1  [pipeloom-gateway]  +0.0 ms, took 1.2 ms\n"
        "    ├── span 2  [pipeloom-gateway]  +1000.0 ms, took 1.2 ms  result=PipelineCreated  links=2\n"
        "    │   └── evil\\x1b[2J name  [pipeloom-gateway]  +2000.0 ms, took 1.2 ms\n"
        "    └── span 4  [pipeloom-gateway]  +3000.0 ms, took 1.2 ms\n"
    )


def test_a_trace_is_chosen_by_its_id(pipeloom: Run, file: Path) -> None:
    assert "span 6" in pipeloom(f"trace {file} {'C' * 32}").stdout


@pytest.mark.parametrize("arguments", ["{file} abc", "{empty}", "{absent}"])
def test_what_is_not_there_is_said(pipeloom: Run, file: Path, arguments: str) -> None:
    (file.parent / "empty").touch()
    names = {"file": file, "empty": file.parent / "empty", "absent": file.parent / "absent"}
    result = pipeloom(f"trace {arguments.format(**names)}")
    assert result.exit_code == 2
    assert "raceback" not in result.output


COMMAND_ID = "0198c5f2-b210-7a44-b0de-6a3f0f8f2c77"


@pytest.fixture
def with_commands(file: Path) -> Path:
    told = {"messaging.message.id": COMMAND_ID, "pipeloom.command_type": "PipelineRequested"}
    more = [
        line("d", "8", None, 30, kind="server", name="POST /api/v1/pipelines"),
        line("d", "9", "8", 31, name="publish pipeloom.commands", attributes=told),
        line("e", "a", None, 40, kind="server", name="POST /api/v1/auth/refresh"),
    ]
    with file.open("a") as lines:
        lines.write("".join(more))
    return file


def test_the_last_trace_is_that_of_a_command(pipeloom: Run, with_commands: Path) -> None:
    assert pipeloom(f"trace {with_commands}").stdout.startswith(f"trace {'d' * 32}\n")


def test_a_trace_is_chosen_by_the_id_of_its_command(pipeloom: Run, with_commands: Path) -> None:
    shown = pipeloom(f"trace {with_commands} {COMMAND_ID.upper()}").stdout
    assert shown.startswith(f"trace {'d' * 32}\n")
    assert "publish pipeloom.commands" in shown


def test_a_command_that_was_sent_twice_has_two_traces(pipeloom: Run, with_commands: Path) -> None:
    with with_commands.open("a") as lines:
        lines.write(line("9", "b", None, 50, attributes={"messaging.message.id": COMMAND_ID}))
    shown = pipeloom(f"trace {with_commands} {COMMAND_ID}").stdout
    assert [each for each in shown.splitlines() if each.startswith("trace ")] == [
        f"trace {'d' * 32}",
        f"trace {'9' * 32}",
    ]


def test_the_beginning_of_an_id_is_enough_where_it_is_one(pipeloom: Run, with_commands: Path) -> None:
    assert "auth/refresh" in pipeloom(f"trace {with_commands} eee").stdout
    with with_commands.open("a") as lines:
        lines.write(line("e", "c", None, 50).replace("e" * 32, "e" * 31 + "f"))
    result = pipeloom(f"trace {with_commands} eee")
    assert result.exit_code == 2
    assert "2 traces begin with 'eee'" in " ".join(result.stderr.replace("│", " ").split())

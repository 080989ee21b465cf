"""The ends of the command line: strange arguments, lost output, exit codes."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

import pytest
from typer.main import get_command
from typer.testing import Result

from pipeloom.cli.exits import EXIT_CODES, ExitCode
from pipeloom.cli.main import app
from tests.unit.docs.markdown import page, table_rows

Pipeloom = Callable[[str], Result]

LOST = "pipeloom: the output could not be written: {}.\n"


def shell(line: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a line of bash in which `pipeloom` is the command under test."""
    program = f'pipeloom() {{ {shlex.quote(sys.executable)} -m pipeloom "$@"; }}\n{line}'
    variables = {**os.environ, "XDG_CONFIG_HOME": "/nowhere", **environment}
    return subprocess.run(
        ["bash", "-c", program], capture_output=True, text=True, timeout=60, env=variables, errors="replace"
    )


def test_the_version_is_told(pipeloom: Pipeloom) -> None:
    assert pipeloom("--version").stdout == f"pipeloom {version('pipeloom')}\n"


@pytest.mark.parametrize("words", ["-h", "steps -h", "pipelines delete -h", "commands get -h"])
def test_the_short_option_for_help_works_everywhere(pipeloom: Pipeloom, words: str) -> None:
    result = pipeloom(words)
    assert result.exit_code == 0
    assert "Usage: pipeloom" in result.stdout


@pytest.mark.parametrize("unbuffered", ["1", ""])
@pytest.mark.parametrize("words", ["--version", "--help", "config show", "config show -o json"])
def test_a_full_disk_is_told(words: str, unbuffered: str) -> None:
    ended = shell(f"pipeloom {words} >/dev/full", PYTHONUNBUFFERED=unbuffered)
    assert (ended.returncode, ended.stderr) == (ExitCode.OUTPUT_LOST, LOST.format("No space left on device"))


@pytest.mark.parametrize("words", ["--help", "config show"])
def test_a_reader_that_has_gone_is_told(words: str) -> None:
    reading_end, writing_end = os.pipe()
    os.close(reading_end)
    ended = subprocess.run(
        [sys.executable, "-m", "pipeloom", *words.split()],
        stdout=writing_end,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
    )
    os.close(writing_end)
    assert (ended.returncode, ended.stderr) == (ExitCode.OUTPUT_LOST, LOST.format("Broken pipe"))


def test_a_refusal_keeps_its_exit_code_when_it_cannot_be_told() -> None:
    ended = shell("pipeloom --profile ghost steps list 2>/dev/full", PYTHONUNBUFFERED="")
    assert ended.returncode == ExitCode.USAGE


def test_closed_output_is_wanted() -> None:
    assert shell("pipeloom config show >&-").returncode == ExitCode.DONE


def test_an_argument_that_is_no_text_is_wrong_usage() -> None:
    ended = shell(r"pipeloom pipelines get $'caf\xe9'")
    assert (ended.returncode, ended.stdout) == (ExitCode.USAGE, "")
    assert ended.stderr == r"pipeloom: the argument 'caf\xe9' is not UTF-8 text. Write it in UTF-8." + "\n"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
@pytest.mark.parametrize("output", ["table", "json"])
def test_a_character_that_the_output_has_no_code_for_is_no_error(tmp_path: Path, encoding: str, output: str) -> None:
    (tmp_path / "pipeloom").mkdir()
    text = '[profiles."🎉"]\nurl = "http://pipeloom.test"\ntoken = "t"\n'
    (tmp_path / "pipeloom/config.toml").write_text(text, encoding="utf-8")
    ended = shell(f"pipeloom config show -o {output}", XDG_CONFIG_HOME=str(tmp_path), PYTHONIOENCODING=encoding)
    assert (ended.returncode, ended.stderr) == (ExitCode.DONE, "")
    assert re.search(r"🎉|\\U0001f389|\\ud83c\\udf89", ended.stdout)


def test_the_help_tells_every_exit_code(pipeloom: Pipeloom) -> None:
    shown = " ".join(pipeloom("--help").stdout.split())
    assert EXIT_CODES in shown
    assert all(f"{code.value} {code.meaning}" in EXIT_CODES for code in ExitCode)


def test_the_guide_tells_every_exit_code() -> None:
    rows = table_rows(page("docs/guides/cli.md").section("Exit codes"))
    assert [(row[0], row[1]) for row in rows] == [(str(code.value), code.meaning) for code in ExitCode]


def test_the_readers_of_the_guide_find_every_command(pipeloom: Pipeloom) -> None:
    told = page("docs/guides/cli.md").text
    for group in ("steps", "pipelines", "deployments", "variables", "commands", "config"):
        verbs = re.findall(r"^│ (\w[\w-]*) ", pipeloom(f"{group} --help").stdout, re.MULTILINE)
        assert verbs
        assert [verb for verb in verbs if f"`{group} {verb}" not in told] == []


def all_commands(group: Any = None, words: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield every command that there is, as it is typed."""
    for name, command in (group or cast("Any", get_command(app))).commands.items():
        if hasattr(command, "commands"):
            yield from all_commands(command, (*words, name))
        else:
            yield " ".join((*words, name))


# The parser of services.admin tells its own help.
@pytest.mark.parametrize("command", [each for each in all_commands() if each != "admin"])
def test_the_help_of_every_command_teaches_with_an_example_that_is_a_command(pipeloom: Pipeloom, command: str) -> None:
    shown = " ".join(pipeloom(f"{command} --help").stdout.split())
    assert f"Example: pipeloom {command}" in shown or f"Example: pipeloom --profile staging {command}" in shown

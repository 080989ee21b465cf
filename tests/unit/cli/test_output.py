"""Tables: as wide as they are where nobody looks, as wide as the terminal where somebody does."""

import re
import sys

import pytest

from pipeloom.cli.output import Output, show, show_all

STYLE = re.compile(r"\x1b\[[0-9;]*m")
LONG = {"name": "n" * 200, "note": "word " * 60 + "end"}


def test_in_a_pipe_every_row_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    show_all([LONG, {"name": "short", "note": None}], ("name", "note"), Output.TABLE, if_none="none")

    header, long, short = capsys.readouterr().out.splitlines()

    assert header.split() == ["name", "note"]
    assert long == f"{'n' * 200}  {'word ' * 60}end"
    assert short.split() == ["short", "-"]
    assert header.index("note") == short.index("-") == 202


def test_in_a_pipe_a_document_is_one_line_a_value(capsys: pytest.CaptureFixture[str]) -> None:
    show({**LONG, "tags": []}, Output.TABLE)
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_no_line_ends_in_blanks(capsys: pytest.CaptureFixture[str]) -> None:
    show_all([{"name": "a", "note": "b"}, {"name": "a", "note": "bb"}], ("name", "note"), Output.TABLE, if_none="none")
    assert all(line == line.rstrip() for line in capsys.readouterr().out.splitlines())


def test_at_a_terminal_nothing_is_wider_and_nothing_is_lost(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")
    show_all([LONG], ("name", "note"), Output.TABLE, if_none="none")
    shown = STYLE.sub("", capsys.readouterr().out)
    assert max(len(line) for line in shown.splitlines()) <= 80
    assert shown.count("n") >= 200
    assert "end" in shown


@pytest.mark.parametrize(
    ("text", "shown"), [("a\x1b[2Jb", r"a\x1b[2Jb"), ("a\tb", r"a\tb"), ("a\rb", r"a\rb"), ("日本 🎉", "日本 🎉")]
)
def test_what_would_steer_a_terminal_is_made_visible(capsys: pytest.CaptureFixture[str], text: str, shown: str) -> None:
    show({"note": text}, Output.TABLE)
    assert capsys.readouterr().out == f"note  {shown}\n"

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


ID = "0198c5f2-b210-7a44-b0de-6a3f0f8f2c77"
TIME = "2026-01-31T12:00:00.123Z"


def look_at_80_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")


def on_screen(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return STYLE.sub("", capsys.readouterr().out).splitlines()


def test_only_free_text_is_wrapped(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    look_at_80_columns(monkeypatch)
    rows = [{"id": ID, "why": "too long a reason " * 5}]
    show_all(rows, ("id", "why"), Output.TABLE, if_none="none", free=("why",))
    lines = on_screen(capsys)
    assert lines[0].split() == ["id", "why"]
    assert lines[1].startswith(f"{ID}  too long")
    assert max(map(len, lines)) <= 80


def test_where_it_is_narrow_times_are_shortened_and_then_expendable_columns_left_out(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    look_at_80_columns(monkeypatch)
    rows = [{"id": ID, "at": TIME, "since": TIME, "name": "n" * 18}]
    show_all(rows, ("id", "at", "name"), Output.TABLE, if_none="none", expendable=("since",))
    assert on_screen(capsys)[1] == f"{ID}  2026-01-31 12:00:00Z  {'n' * 18}"
    show_all(rows, ("id", "at", "since", "name"), Output.TABLE, if_none="none", expendable=("since",))
    assert on_screen(capsys)[1] == f"{ID}  2026-01-31 12:00:00Z  {'n' * 18}"


def test_rows_that_do_not_fit_become_blocks_with_whole_ids(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    look_at_80_columns(monkeypatch)
    rows = [{"id": ID, "other": ID, "time": TIME, "note": None}] * 2
    show_all(rows, ("id", "other", "time", "note"), Output.TABLE, if_none="none")
    block = [f"id     {ID}", f"other  {ID}", f"time   {TIME}"]
    assert on_screen(capsys) == [*block, "", *block]

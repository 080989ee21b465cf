"""Documents as tables for people, or as JSON for programs."""

import io
import json
import sys
from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.console import Console, RenderableType
from rich.status import Status
from rich.table import Column, Table

from pipeloom.cli.fitting import fitted

# A pipe has no width: what reads it gets one row a line.
UNBOUNDED = 1_000_000


class Output(StrEnum):
    """How an answer is written."""

    TABLE = "table"
    JSON = "json"


OutputOption = Annotated[Output, typer.Option("--output", "-o", help="A table for people, JSON for programs.")]


def show(document: Mapping[str, Any], output: Output) -> None:
    """Write one document."""
    if output is Output.JSON:
        _write_json(document)
        return
    table = Table.grid(Column(no_wrap=True), Column(overflow="fold"), padding=(0, 2))
    for key, value in document.items():
        if isinstance(value, dict):
            table.add_row(key, "")
            for inner_key, inner in value.items():
                table.add_row(f"  {inner_key}", _cell(inner))
        else:
            table.add_row(key, _cell(value))
    write(table)


def show_all(
    documents: Sequence[Mapping[str, Any]],
    columns: Sequence[str],
    output: Output,
    *,
    if_none: str,
    free: Collection[str] = (),
    expendable: Sequence[str] = (),
) -> None:
    """Write a list, a row for each document; `if_none` is what a person reads when there is none.

    Only `free` text is wrapped. Where a terminal is too narrow, the `expendable` columns are left out, in that order.
    """
    if output is Output.JSON:
        _write_json(documents)
        return
    if not documents:
        typer.echo(if_none)
        return
    rows = [{column: _cell(document.get(column)) for column in columns} for document in documents]
    write(fitted(rows, columns, free, expendable, _terminal_width()))


def show_log(lines: Sequence[Mapping[str, Any]], output: Output) -> None:
    """Write the lines of a log, a line each."""
    if output is Output.JSON:
        _write_json(lines)
        return
    for line in lines:
        typer.echo(printable(f"{line['timestamp']}  {line['message']}").replace("\n", " "))


def waiting(message: str) -> Status:
    """Return a context that shows `message` to a person at a terminal while something takes its time."""
    return Console(stderr=True, markup=False).status(message)


def printable(text: str) -> str:
    """Return `text` with what would steer a terminal, rather than be read, made visible."""
    return "".join(
        character if character.isprintable() or character == "\n" else character.encode("unicode_escape").decode()
        for character in text
    )


def write(drawing: RenderableType) -> None:
    """Write something drawn: as wide as a terminal, or as it is where nobody looks; no line ends in blanks."""
    width, drawn = _terminal_width(), io.StringIO()
    console = Console(
        file=drawn,
        force_terminal=width is not None,
        width=width or UNBOUNDED,
        markup=False,
        highlight=False,
        emoji=False,
    )
    console.print(drawing)
    typer.echo("\n".join(line.rstrip() for line in drawn.getvalue().splitlines()))


def _terminal_width() -> int | None:
    return Console().width if sys.stdout.isatty() else None


def _write_json(value: object) -> None:
    is_unicode = (sys.stdout.encoding or "").lower().startswith("utf")
    typer.echo(json.dumps(value, indent=2, ensure_ascii=not is_unicode))


def _cell(value: object) -> str:
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, list):
        return "\n".join(_cell(entry) for entry in value) or "-"
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_cell(inner)}" for key, inner in value.items() if inner is not None) or "-"
    return "-" if value is None else json.dumps(value, ensure_ascii=False)

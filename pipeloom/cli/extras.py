"""What needs more than the client: runs it, or says what to install."""

import runpy
import sys
from collections.abc import Sequence
from typing import NoReturn

import typer

from pipeloom.cli.exits import ExitCode

OURS = {"events", "pipeloom", "services"}
MISSING = ExitCode.USAGE


def run_module(name: str, arguments: Sequence[str] = ()) -> None:
    """Run the module `name` as the program of this process, so that the client never imports a service."""
    sys.argv = [name, *arguments]
    try:
        runpy.run_module(name, run_name="__main__", alter_sys=True)
    except ModuleNotFoundError as error:
        explain(error, "server")


def explain(error: ModuleNotFoundError, extra: str) -> NoReturn:
    """End with a sentence when a library of `extra` is missing; raise `error` again when the fault is ours."""
    library = (error.name or "").partition(".")[0]
    if not library or library in OURS:
        raise error
    typer.echo(
        f"This needs the library '{library}', which is not installed. Install it with: pip install 'pipeloom[{extra}]'",
        err=True,
    )
    raise typer.Exit(MISSING)

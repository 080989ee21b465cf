"""What the commands that change something have in common: consent, waiting, repeating."""

import sys
from typing import Annotated, Any

import typer

from pipeloom.cli.connection import connected
from pipeloom.cli.exits import ExitCode, end
from pipeloom.cli.output import Output, show
from pipeloom.client.requests import Request
from pipeloom.client.writes import usable_key

WaitOption = Annotated[
    bool, typer.Option("--wait/--no-wait", help="Wait for the result, or only print the id of the command.")
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask; needed where nobody can be asked.")]


def _checked_key(key: str | None) -> str | None:
    try:
        return None if key is None else usable_key(key)
    except ValueError as error:
        raise typer.BadParameter(str(error).replace("idempotency_key", "the key")) from error


KeyOption = Annotated[
    str | None,
    typer.Option(
        "--idempotency-key",
        metavar="KEY",
        callback=_checked_key,
        help="A text of your own: however often the command is repeated with it, it takes effect once.",
    ),
]


def carry_out(write: Request[Any], output: Output, *, wait: bool) -> None:
    """Send a write and show its answer, or only the id of the command that it became."""
    with connected() as client:
        if wait:
            show(client.send(write), output)
        else:
            show_id(client.submit(write), output)


def show_id(command_id: str, output: Output) -> None:
    """Write a command's id: alone on its line for people and shells, named for programs."""
    if output is Output.JSON:
        show({"command_id": command_id}, output)
    else:
        typer.echo(command_id)


def demand_consent(question: str, *, is_given: bool) -> None:
    """Return when the person says yes; otherwise end the command before anything is sent."""
    if is_given:
        return
    if not _somebody_is_there():
        end(ExitCode.USAGE, f"{question} There is nobody to ask: add --yes if this is meant.")
    typer.echo(f"{question} [y/N]: ", err=True, nl=False)
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        end(ExitCode.REFUSED, "Nothing was changed.")


def _somebody_is_there() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()

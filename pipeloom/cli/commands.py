"""`pipeloom commands`: what became of a write that was not waited for, or whose answer was lost."""

from typing import Annotated
from uuid import UUID

import typer

from pipeloom.cli.connection import connected
from pipeloom.cli.exits import ExitCode
from pipeloom.cli.output import Output, OutputOption, show, waiting
from pipeloom.client.documents import Command

app = typer.Typer(no_args_is_help=True, help="Ask what became of a write.")

EXIT_CODES = {"succeeded": ExitCode.DONE, "rejected": ExitCode.REFUSED}


@app.command(epilog="Example: pipeloom commands get 0192f7a0-7c1e-7b3a-9c55-2f9d1c5a0e11 --wait 30")
def get(
    command_id: Annotated[UUID, typer.Argument(metavar="ID", help="The id that --no-wait or an error told.")],
    wait: Annotated[
        float, typer.Option(min=0, max=86_400, metavar="SECONDS", help="Wait so long for a result, at most.")
    ] = 0.0,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show what became of a command. Ends with 0 when it succeeded, 1 when it was rejected, 3 without a result yet."""
    with connected() as client, waiting("Waiting for the result …"):
        document = client.get_command(str(command_id), wait)
    show(_for_people(document) if output is Output.TABLE else document, output)
    raise typer.Exit(EXIT_CODES.get(document["status"], ExitCode.UNAVAILABLE_OR_UNKNOWN))


def _for_people(document: Command) -> dict[str, object]:
    """Return what a person wants to know; the result's data is for programs, its subject says where to look."""
    return {key: value for key, value in document.items() if key not in {"result", "sequence"}}

"""`pipeloom commands`: what became of a write that was not waited for, and what was asked of the environment so far."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import typer

from events.commands import COMMANDS
from pipeloom.cli.connection import connected
from pipeloom.cli.exits import ExitCode
from pipeloom.cli.names import known_type
from pipeloom.cli.output import Output, OutputOption, show, show_all, waiting
from pipeloom.cli.trail import LimitOption, moment, why
from pipeloom.client.documents import Command

app = typer.Typer(no_args_is_help=True, help="Ask what became of writes.")

EXIT_CODES = {"succeeded": ExitCode.DONE, "rejected": ExitCode.REFUSED}
FOR_PROGRAMS = frozenset({"result", "sequence", "traceparent"})


class Outcome(StrEnum):
    """How a command ended."""

    SUCCEEDED = "succeeded"
    REJECTED = "rejected"


def known_command_type(name: str | None) -> str | None:
    """Return the name of a command type, as the callback of an option. Raises BadParameter."""
    return None if name is None else known_type(name, COMMANDS, "command")


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
    show(for_people(document) if output is Output.TABLE else document, output)
    raise typer.Exit(EXIT_CODES.get(document["status"], ExitCode.UNAVAILABLE_OR_UNKNOWN))


@app.command(
    "list",
    epilog="Example: pipeloom commands list --status rejected --since 2h\n\n"
    "Example: pipeloom commands list --type PipelineRequested --since 2026-01-31T00:00:00Z --output json",
)
def list_all(
    status: Annotated[Outcome | None, typer.Option(help="Only those that ended so.")] = None,
    command_type: Annotated[
        str | None,
        typer.Option(
            "--type", metavar="TYPE", callback=known_command_type, help="Only those of this type, as PipelineRequested."
        ),
    ] = None,
    actor: Annotated[
        str | None, typer.Option(metavar="ID", help="Only what this user (by id) or producer asked.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="MOMENT", help="Only those decided since then: a time, or how long ago as 90s, 15m, 2h, 7d."
        ),
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="MOMENT", help="Only those decided before then, written likewise.")
    ] = None,
    limit: LimitOption = 100,
    output: OutputOption = Output.TABLE,
) -> None:
    """List the commands that were decided, by whichever door they came, the newest first; refusals with reasons."""
    span: tuple[datetime | None, datetime | None] = (moment(since), moment(until))
    with connected() as client:
        found = client.list_commands(limit, status.value if status else None, command_type, actor, *span)
    show_all(
        found if output is Output.JSON else [_row(each) for each in found],
        ("time", "command", "subject", "who", "status", "why", "id"),
        output,
        if_none="No commands that are so.",
        free=("why",),
        expendable=("who",),
    )


def _row(command: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "time": command["time"],
        "command": command["command_type"],
        "subject": command["subject"],
        "who": command["actor"],
        "status": command["status"],
        "why": why(command["refusal"]),
        "id": command["command_id"],
    }


def for_people(document: Command) -> dict[str, object]:
    """Return what a person wants to know; the result's data is for programs, its subject says where to look."""
    shown = {key: value for key, value in document.items() if key not in FOR_PROGRAMS}
    traceparent = document.get("traceparent")
    return {**shown, "trace": traceparent.split("-")[1]} if traceparent else shown

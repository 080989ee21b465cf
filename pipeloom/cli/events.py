"""`pipeloom events`: what happens in the environment, a line for each event."""

import dataclasses
import json
import sys
from typing import Annotated, cast

import typer

from events.results import RESULTS, CommandRejected
from pipeloom.cli.connection import connected
from pipeloom.cli.names import checked, known_type
from pipeloom.cli.output import Output, OutputOption, printable
from pipeloom.client.watching import Event, Since

WIDEST_TYPE = max(map(len, RESULTS))


def _types(given: list[str] | None) -> list[str]:
    return [known_type(name, RESULTS, "event") for name in given or ()]


def _since(given: str) -> str:
    is_sequence = given.isascii() and given.isdigit()
    if not is_sequence and given not in {"beginning", "now"}:
        raise typer.BadParameter("write `beginning`, `now`, or the sequence of an event.")
    return given


def events(
    types: Annotated[
        list[str] | None,
        typer.Option("--type", metavar="TYPE", callback=_types, help="Only events of this type; repeatable."),
    ] = None,
    subject: Annotated[
        str | None,
        typer.Option(metavar="PREFIX", help="Only events whose subject begins so, for example pipelines/."),
    ] = None,
    pipeline: Annotated[
        str | None,
        typer.Option(metavar="NAME", callback=checked, help="Only events about this pipeline, by its exact name."),
    ] = None,
    since: Annotated[
        str,
        typer.Option(metavar="WHERE", callback=_since, help="Begin at the `beginning`, `now`, or behind a sequence."),
    ] = "now",
    output: OutputOption = Output.TABLE,
) -> None:
    """Follow the events of the environment until Ctrl-C, a line for each; with `-o json` a JSON document a line.

    A connection that breaks is made again, and nothing is left out or told twice.
    """
    start = cast("Since", int(since) if since.isdigit() else since)
    with connected() as client, client.watch(types or (), subject, start, pipeline=pipeline) as found:
        for number, event in enumerate(found):
            if number == 0 and since == "beginning" and event.sequence > 1 and not (types or subject or pipeline):
                typer.echo(f"the events before {event.sequence} are no longer kept", err=True)
            typer.echo(_line(event) if output is Output.TABLE else _document(event))


def _line(event: Event) -> str:
    why = f"  {event.data['code']}: {event.data['message']}" if event.type == CommandRejected.__name__ else ""
    told = f"{event.time}  {event.sequence:>6}  {event.type:<{WIDEST_TYPE}}  {event.subject}{why}"
    return printable(told).replace("\n", " ")


def _document(event: Event) -> str:
    is_unicode = (sys.stdout.encoding or "").lower().startswith("utf")
    return json.dumps(dataclasses.asdict(event), ensure_ascii=not is_unicode)

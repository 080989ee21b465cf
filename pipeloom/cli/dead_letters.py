"""`pipeloom dead-letters`: records that were no commands, to be looked at, mended and sent again, or discarded."""

import json
import sys
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from pipeloom.cli.commands import for_people, known_command_type
from pipeloom.cli.connection import connected, existing
from pipeloom.cli.output import Output, OutputOption, show, show_all
from pipeloom.cli.trail import LimitOption
from pipeloom.cli.writing import KeyOption, WaitOption, show_id
from pipeloom.client import writes
from pipeloom.client.trail import LetterStatus

app = typer.Typer(
    no_args_is_help=True,
    help="Records on the commands topic that were no commands: look at them, mend and replay them, or discard them.",
)

LONGEST_MESSAGE = 120


class Status(StrEnum):
    """What became of a dead letter."""

    OPEN = "open"
    REPLAYED = "replayed"
    DISCARDED = "discarded"
    ALL = "all"


Id = Annotated[str, typer.Argument(metavar="ID", help="Its id, which `pipeloom dead-letters list` tells.")]


@app.command(
    "list",
    epilog="Example: pipeloom dead-letters list\n\nExample: pipeloom dead-letters list --status all --output json",
)
def list_all(
    status: Annotated[Status, typer.Option(help="Which ones; those that nobody has settled by default.")] = Status.OPEN,
    limit: LimitOption = 100,
    output: OutputOption = Output.TABLE,
) -> None:
    """List the records addressed to the environment that were no commands, the newest first."""
    wanted = cast("LetterStatus | None", None if status is Status.ALL else status.value)
    with connected() as client:
        letters = client.list_dead_letters(limit, wanted)
    show_all(
        letters if output is Output.JSON else [_row(letter) for letter in letters],
        _columns(letters),
        output,
        if_none="No dead letters." if status is Status.ALL else f"No dead letters are {status.value}.",
        free=("message",),
        expendable=() if status is Status.ALL else ("status",),
    )


@app.command("show", epilog="Example: pipeloom dead-letters show 3-1042")
def show_one(letter_id: Id, output: OutputOption = Output.TABLE) -> None:
    """Show one with its key, value and headers. The value alone, to be mended: `… -o json | jq -r .value.text`."""
    with connected() as client:
        letter = existing(client.get_dead_letter(letter_id), f"There is no dead letter '{letter_id}'.")
    show(letter if output is Output.JSON else _page(letter), output)


def _data(path: Path | None) -> dict[str, Any] | None:
    if path is None:
        return None
    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
        data = json.loads(text)
    except (OSError, ValueError) as error:
        raise typer.BadParameter(f"'{path}' cannot be used: {error}.") from error
    if not isinstance(data, dict):
        raise typer.BadParameter(f"'{path}' holds no JSON object, which a command's data is.")
    return data


@app.command(
    epilog="Example: pipeloom dead-letters replay 3-1042\n\n"
    "Example: pipeloom dead-letters replay 3-1042 --data mended.json --type PipelineRequested"
)
def replay(
    letter_id: Id,
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="The command's data as a JSON object, mended; `-` reads stdin.", dir_okay=False
        ),
    ] = None,
    command_type: Annotated[
        str | None,
        typer.Option(
            "--type",
            metavar="TYPE",
            callback=known_command_type,
            help="The command's type, where the record's is wrong.",
        ),
    ] = None,
    wait: WaitOption = True,
    idempotency_key: KeyOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Send one again as a new command of yours, as it is or mended. When that is refused, the letter stays open.

    The same replay again is the same command until it has a result: it takes effect once. One that was discarded can
    be replayed too.
    """
    write = writes.replay_dead_letter(letter_id, _data(data), command_type, idempotency_key=idempotency_key)
    with connected() as client:
        if not wait:
            show_id(client.submit(write), output)
            return
        document = client.send(write)
    show(for_people(document) if output is Output.TABLE else document, output)


@app.command(epilog="Example: pipeloom dead-letters discard 3-1042")
def discard(letter_id: Id, output: OutputOption = Output.TABLE) -> None:
    """Settle one that is worth nothing: it is kept, and no longer open. A replay takes it up again."""
    with connected() as client:
        show(client.discard_dead_letter(letter_id), output)


def _columns(letters: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what is shown of letters: their producer and type where the service tells them."""
    told = [name for name in ("source", "type") if any(letter.get(name) for letter in letters)]
    return ["id", "received_at", "status", *told, "code", "message"]


def _row(letter: Mapping[str, Any]) -> dict[str, Any]:
    message = letter["message"]
    short = message if len(message) <= LONGEST_MESSAGE else f"{message[:LONGEST_MESSAGE]}…"
    return {**letter, "message": short}


def _page(letter: Mapping[str, Any]) -> dict[str, Any]:
    headers = {header["name"]: header["value"] for header in letter["headers"]}
    return {**letter, "key": _bytes(letter["key"]), "value": _bytes(letter["value"]), "headers": headers}


def _bytes(told: Mapping[str, Any] | None) -> str | None:
    if told is None:
        return None
    return f"{told['base64']} (base64)" if told["text"] is None else str(told["text"])

"""What the commands about the past have in common: histories as rows that a person reads, and moments."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from pipeloom.cli.connection import connected
from pipeloom.cli.output import Output, show_all
from pipeloom.client.trail import Kind

COLUMNS = ("time", "what", "who", "change", "command")
LONGEST_VALUE = 60
NOTHING = "Nothing. (What is older than histories are kept here is gone.)"
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_AGO = re.compile(r"([0-9]{1,6})([smhd])")

LimitOption = Annotated[int, typer.Option(min=1, max=100_000, metavar="N", help="At most so many.")]
OldestFirstOption = Annotated[bool, typer.Option("--oldest-first", help="Begin at the beginning.")]


def show_history(kind: Kind, name: str, limit: int, output: Output, *, oldest_first: bool) -> None:
    """Write what happened to a resource, a row for each entry; the whole entries as JSON."""
    with connected() as client:
        entries = client.history(kind, name, limit, oldest_first=oldest_first)
    subject = f"{kind}s/{name}"
    rows = entries if output is Output.JSON else [_row(entry, subject) for entry in entries]
    show_all(rows, COLUMNS, output, if_none=NOTHING, free=("change",))


def moment(given: str | None) -> datetime | None:
    """Return a moment that was typed: RFC 3339, or how long ago. Raises BadParameter."""
    if given is None:
        return None
    ago = _AGO.fullmatch(given)
    try:
        if ago:
            return datetime.now(UTC) - timedelta(**{UNITS[ago[2]]: int(ago[1])})
        return datetime.fromisoformat(given)
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter(
            f"'{given}' is no moment. Write how long ago, as in 90s, 15m, 2h or 7d, or a time as in "
            "2026-01-31T12:00:00Z."
        ) from error


def why(refusal: Mapping[str, Any] | None) -> str | None:
    """Return a refusal as a sentence with its code."""
    return None if refusal is None else f"{refusal['code']}: {refusal['message']}"


def _row(entry: Mapping[str, Any], subject: str) -> dict[str, Any]:
    is_refused = entry["status"] == "rejected"
    return {
        "time": entry["time"],
        "what": f"{entry['command_type']} refused" if is_refused else entry["type"],
        "who": entry["actor"],
        "change": why(entry["refusal"]) or _change(entry, subject),
        "command": entry["command_id"],
    }


def _change(entry: Mapping[str, Any], subject: str) -> str | None:
    if entry["command_subject"] != subject:
        return f"went with {entry['command_subject']}"
    before, after = entry["before"], entry["after"]
    if before is None or after is None:
        return None
    return "; ".join(_differences(before, after)) or None


def _differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    for key in {**before, **after}:
        old, new = before.get(key), after.get(key)
        if old != new:
            yield f"{key}: {_short(old)} → {_short(new)}"


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"

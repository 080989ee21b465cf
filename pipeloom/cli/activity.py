"""`pipeloom activity`: how the commands of the environment fare, by what the monitor has counted."""

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from pipeloom.cli.connection import connected
from pipeloom.cli.output import Output, OutputOption, show, show_all
from pipeloom.client.documents import Activity, TypeActivity

MOST_OVERDUE = 10
NEVER = "The monitor has never measured this environment. Its health page tells why; `pipeloom status` shows it."


def activity(
    minutes: Annotated[
        int, typer.Option(min=1, max=1440, metavar="N", help="Count the results of the last N minutes.")
    ] = 60,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show how long commands take by type, which are refused or overdue, and how far behind each part is.

    The numbers are the monitor's, and say as of when.
    """
    with connected() as client:
        found = client.activity(minutes)
    if output is Output.JSON:
        show(found, output)
        return
    typer.echo(_headline(found))
    if found["as_of"] is None:
        return
    typer.echo()
    show_all(
        [_row(each) for each in found["types"]],
        ("type", "results", "refused", "p50", "p95", "p99", "codes"),
        output,
        if_none=f"No results in the last {minutes} minutes.",
        free=("codes",),
        expendable=("codes", "p95"),
    )
    typer.echo()
    show(dict(_rest(found)), output)


def _headline(found: Activity) -> str:
    if found["as_of"] is None:
        return NEVER
    stale = "  STALE: the monitor is stopped or behind, and what came since is not counted." if found["stale"] else ""
    return f"The last {found['minutes']} minutes, as of {found['as_of']}.{stale}"


def _row(told: TypeActivity) -> dict[str, Any]:
    latency = told["latency_ms"]
    codes = sorted(told["refused"].items(), key=lambda each: (-each[1], each[0]))
    return {
        "type": told["command_type"],
        "results": told["results"],
        "refused": sum(told["refused"].values()),
        "p50": _duration(latency["p50"]),
        "p95": _duration(latency["p95"]),
        "p99": _duration(latency["p99"]),
        "codes": ", ".join(f"{code} {number}" for code, number in codes) or None,
    }


def _rest(found: Activity) -> Iterator[tuple[str, Any]]:
    yield "without a result", found["open"]
    yield "overdue", found["overdue"]
    for each in found["overdue_commands"][:MOST_OVERDUE]:
        yield f"  {each['command_id']}", f"{each['command_type']}, asked at {each['asked_at']}"
    left = found["overdue"] - MOST_OVERDUE
    if left > 0 and found["overdue_commands"]:
        yield f"  … and {left} more", "-o json tells the first hundred"
    for part in found["parts"]:
        yield f"{part['part']} behind", f"{part['behind']} records, measured at {part['measured_at']}"


def _duration(milliseconds: float | None) -> str | None:
    if milliseconds is None:
        return None
    return f"{milliseconds:.0f} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.1f} s"

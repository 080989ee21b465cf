"""A report as something to look at."""

from collections.abc import Iterator
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Column, Table
from rich.text import Text

from pipeloom.cli.output import printable
from pipeloom.status.report import Report

LONGEST_REASON = 300


def screen_of(report: Report) -> RenderableType:
    """Return the screen: the processes with their reasons, then the numbers, then what was refused."""
    return Group(_headline(report), Text(), _processes(report), Text(), _numbers(report))


def _headline(report: Report) -> Text:
    state = Text("ready", "bold green") if report["ready"] else Text("not ready", "bold red")
    return Text.assemble("Pipeloom is ", state, f" at {report['at']}")


def _processes(report: Report) -> Table:
    table = Table.grid(Column(no_wrap=True), Column(no_wrap=True), Column(overflow="fold"), padding=(0, 2))
    for process in report["processes"]:
        state = Text("ready", "green") if process["ready"] else Text("not ready", "red")
        reasons = "\n".join(_reasons(process)) or process["url"]
        table.add_row(printable(process["name"]), state, Text(printable(reasons), "" if process["ready"] else "red"))
    return table


def _reasons(process: Report) -> Iterator[str]:
    if process["trouble"]:
        yield f"{process['url']} {process['trouble']}"
    for part, state in process["parts"].items():
        if state != "ok":
            yield f"{part}: {state[:LONGEST_REASON]}"


def _numbers(report: Report) -> Table:
    commands, lags, refusals = report["commands"], report["lags"], report["refusals"]
    table = Table.grid(Column(no_wrap=True), Column(overflow="fold"), padding=(0, 2))
    over = "" if commands["latency_over"] == "interval" else " since start"
    rows = {
        "commands": f"{_told(commands['per_s'], '/s')}, {_told(commands['waiting'])} waiting",
        "latency": f"p50 {_seconds(commands['p50_s'])}, p99 {_seconds(commands['p99_s'])}{over}",
        "unknown outcomes": f"{commands['unknown']} since start",
        "composer lag": _told(lags["composer_records"], " records"),
        "relay lag": f"{_told(lags['relay_events'], ' events')}, the oldest for {_seconds(lags['relay_oldest_s'])}",
        "builder lag": _told(lags["builder_records"], " records"),
        "dead letters": f"{_told(refusals['dead_letters'] or 0)} since start",
        "refusals": ", ".join(f"{code} {count}" for code, count in refusals["by_code"].items()) or "none since start",
        "last refusals": "\n".join(_refusals(refusals["last"])),
    }
    for label, value in rows.items():
        table.add_row(label, Text(printable(value)))
    return table


def _refusals(last: Any) -> Iterator[str]:
    if not isinstance(last, list):
        yield f"not known: {last}"
        return
    for entry in last:
        refusal = entry.get("refusal") or {}
        yield " ".join(
            str(value)[:LONGEST_REASON].replace("\n", " ")
            for value in (entry.get("time"), entry.get("subject"), refusal.get("code"), refusal.get("message"))
            if value
        )
    if not last:
        yield "none"


def _told(value: float | None, unit: str = "") -> str:
    return "-" if value is None else f"{value:.1f}{unit}" if isinstance(value, float) else f"{value}{unit}"


def _seconds(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.1f} s"

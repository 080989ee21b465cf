"""A report as something to look at."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Column, Table
from rich.text import Text

from pipeloom.cli.fitting import shortened
from pipeloom.cli.output import printable
from pipeloom.status.report import Report

LONGEST_REASON = 300
MOST_CODES = 6


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
    if process["last_end"]:
        yield f"{process['url']} was restarted: {process['last_end'][:LONGEST_REASON]}"


def _numbers(report: Report) -> Table:
    table = Table.grid(Column(no_wrap=True), Column(overflow="fold"), padding=(0, 2))
    for label, value in {**_commands(report), **_lags(report), **_rest(report)}.items():
        table.add_row(label, Text(printable(value)))
    for place, line in enumerate(_last_refusals(report["refusals"]["last"])):
        table.add_row("" if place else "last refusals", Text(printable(line), no_wrap=True, overflow="ellipsis"))
    return table


def _commands(report: Report) -> dict[str, str]:
    commands = report["commands"]
    over = "" if commands["latency_over"] == "interval" else " since start"
    latency = f"p50 {_seconds(commands['p50_s'])}, p99 {_seconds(commands['p99_s'])}{over}"
    return {
        "commands": f"{_told(commands['per_s'], '/s')}, {_told(commands['waiting'])} waiting, {latency}",
        "unknown outcomes": _told(commands["unknown"], " since start"),
        "overdue": _told(report["monitor"]["overdue_commands"], " commands"),
    }


def _lags(report: Report) -> dict[str, str]:
    lags = report["lags"]
    oldest = lags["relay_oldest_s"]
    return {
        "composer lag": _lag(lags, "composer_records", " records"),
        "relay lag": _lag(lags, "relay_events", " events")
        + ("" if oldest is None else f", the oldest for {_seconds(oldest)}"),
        "builder lag": _lag(lags, "builder_records", " records"),
        **_held_up(report["progress"]["held_up_s"]),
    }


def _held_up(seconds: float | None) -> dict[str, str]:
    """Tell for how long work has been held up; which, and why, is with the process."""
    return {"held up": f"the longest for {_seconds(seconds)}"} if seconds else {}


def _lag(lags: Report, name: str, unit: str) -> str:
    if name in lags["measured_by"]:
        return f"{_told(lags[name], unit)}, by the {lags['measured_by'][name]}"
    was = f" (was {lags['last_told'][name]}{unit})" if name in lags["last_told"] else ""
    return _told(lags[name], unit) + was


def _rest(report: Report) -> dict[str, str]:
    webhooks, refusals = report["webhooks"], report["refusals"]
    pending, disabled = webhooks["deliveries_pending"], webhooks["disabled_since_start"]
    is_known = pending is not None or disabled is not None
    return {
        "webhooks": f"{_told(pending)} deliveries pending, {_told(disabled)} disabled since start" if is_known else "-",
        "dead letters": _dead_letters(refusals["open_dead_letters"], refusals["dead_letters"]),
        "refusals": _codes(refusals["by_code"]),
    }


def _dead_letters(still_open: Any, counted: int | None) -> str:
    since_start = _told(counted, " since the composer started")
    if not isinstance(still_open, Mapping):
        return since_start
    more = " or more" if still_open["is_at_least"] else ""
    told = f"{still_open['count']}{more} open in your environment"
    return told if counted is None else f"{told}, {since_start}"


def _codes(by_code: Mapping[str, int] | None) -> str:
    """Tell the most frequent codes; what never happened is not worth a place on the screen."""
    if by_code is None:
        return "-"
    happened = sorted(((-count, code) for code, count in by_code.items() if count))
    told = ", ".join(f"{code} {-count}" for count, code in happened[:MOST_CODES])
    left = len(happened) - MOST_CODES
    return (told + (f" … and {left} more" if left > 0 else "")) or "none since start"


def _last_refusals(last: Any) -> Iterator[str]:
    if not isinstance(last, list):
        yield f"not known: {last}"
        return
    for entry in last:
        refusal = entry.get("refusal") or {}
        yield " ".join(
            str(value)[:LONGEST_REASON].replace("\n", " ")
            for value in (
                shortened(str(entry.get("time") or "")),
                entry.get("subject"),
                refusal.get("code"),
                refusal.get("message"),
            )
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

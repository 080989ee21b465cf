"""`pipeloom trace`: the spans that the exporter `file` wrote, as a tree of what called what."""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from pipeloom.cli.output import printable

Span = dict[str, Any]

NEEDED = frozenset({"trace_id", "span_id", "name", "begun", "duration_ms"})

# What the publishing of a command says of it; a decision says the id too.
MESSAGE = "messaging.message.id"
COMMAND_TYPE = "pipeloom.command_type"
MOST_ALIKE = 5

# Printed behind a span where it has them, under a shorter name.
NOTABLE = {
    "http.response.status_code": "status",
    "messaging.destination.partition.id": "partition",
    "messaging.kafka.offset": "offset",
    "messaging.batch.message_count": "messages",
    "pipeloom.result": "result",
    "pipeloom.refusal": "refusal",
    "pipeloom.event_type": "event",
    "pipeloom.released_by": "released_by",
    "pipeloom.outcome": "outcome",
    "error.type": "error",
}


def trace(
    file: Annotated[
        Path, typer.Argument(help="What PIPELOOM_TRACING__FILE names.", exists=True, dir_okay=False, readable=True)
    ],
    wanted: Annotated[
        str | None,
        typer.Argument(
            metavar="[ID]",
            help="A trace (the header Pipeloom-Trace-Id) or the beginning of its id, or a command by its id; "
            "the last command's when left out.",
        ),
    ] = None,
) -> None:
    """Show one trace as a tree: each span with its service, when it began (behind the first) and how long it took."""
    spans = list(_read(file))
    chosen = _chosen(spans, wanted.lower()) if wanted else _last(spans)
    if not chosen:
        what = f"Neither a trace nor a command '{wanted}' is in {file}" if wanted else f"There is no request in {file}"
        raise typer.BadParameter(f"{what}. Spans are written a few seconds after they end.")
    for trace_id in chosen:
        found = sorted((span for span in spans if span["trace_id"] == trace_id), key=lambda span: str(span["begun"]))
        typer.echo("\n".join(_tree(found)))


def _read(file: Path) -> Iterator[Span]:
    """Give each line that tells a span; a file that is being written to may end in half of one."""
    with file.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            try:
                span = json.loads(line)
                if span.keys() >= NEEDED and _moment(span) and float(span["duration_ms"]) >= 0:
                    yield span
            except (ValueError, TypeError, AttributeError):
                continue


def _chosen(spans: Sequence[Span], wanted: str) -> list[str]:
    """Return the traces that are meant: one, or those of each time that a command was sent. Raises BadParameter."""
    of_command = [span["trace_id"] for span in spans if _told(span).get(MESSAGE) == wanted]
    if of_command:
        return list(dict.fromkeys(of_command))
    traces = {str(span["trace_id"]) for span in spans}
    if wanted in traces:
        return [wanted]
    alike = sorted(trace_id for trace_id in traces if trace_id.startswith(wanted))
    if len(alike) > 1:
        named = ", ".join(alike[:MOST_ALIKE]) + (", …" if len(alike) > MOST_ALIKE else "")
        raise typer.BadParameter(f"{len(alike)} traces begin with '{wanted}': {named}. Write more of the id.")
    return alike


def _last(spans: Iterable[Span]) -> list[str]:
    """Return the trace of the last command; where there is none, that of the last request."""
    requests = [span for span in spans if span.get("kind") == "server"]
    with_command = {span["trace_id"] for span in spans if COMMAND_TYPE in _told(span)}
    asked = [span for span in requests if span["trace_id"] in with_command] or requests
    return [max(asked, key=lambda span: str(span["begun"]))["trace_id"]] if asked else []


def _told(span: Span) -> dict[str, Any]:
    attributes = span.get("attributes")
    return attributes if isinstance(attributes, dict) else {}


def _tree(spans: list[Span]) -> list[str]:
    """Hang each span under its parent; under the trace itself where the parent is somebody else's."""
    known = {span["span_id"] for span in spans}
    below: dict[str | None, list[Span]] = {}
    for span in spans:
        parent = span.get("parent_id")
        below.setdefault(parent if parent in known else None, []).append(span)
    top = below.pop(None, [])
    return [f"trace {spans[0]['trace_id']}", *_branches(top, below, _moment(spans[0]))]


def _branches(spans: list[Span], below: dict[str | None, list[Span]], start: float) -> Iterator[str]:
    for span in spans:
        is_last = span is spans[-1]
        yield ("└── " if is_last else "├── ") + _line(span, start)
        for line in _branches(below.pop(span["span_id"], []), below, start):
            yield ("    " if is_last else "│   ") + line


def _line(span: Span, start: float) -> str:
    told = _told(span)
    notes = [f"{short}={told[name]}" for name, short in NOTABLE.items() if name in told]
    links = span.get("links") or []
    notes += [f"links={len(links)}"] if links else []
    after_ms = (_moment(span) - start) * 1000
    plain = f"{span['name']}  [{span.get('service')}]  +{after_ms:.1f} ms, took {span['duration_ms']:.1f} ms"
    return printable("  ".join([plain, *notes])).replace("\n", " ")


def _moment(span: Span) -> float:
    return datetime.fromisoformat(span["begun"]).timestamp()

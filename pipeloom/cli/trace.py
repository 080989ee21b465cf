"""`pipeloom trace`: the spans that the exporter `file` wrote, as a tree of what called what."""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from pipeloom.cli.output import printable

Span = dict[str, Any]

NEEDED = frozenset({"trace_id", "span_id", "name", "begun", "duration_ms"})

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
    trace_id: Annotated[
        str | None, typer.Argument(help="Which trace (the header Pipeloom-Trace-Id); the last request's when left out.")
    ] = None,
) -> None:
    """Show one trace as a tree: each span with its service, when it began (behind the first) and how long it took."""
    spans = list(_read(file))
    chosen = trace_id.lower() if trace_id else _last(spans)
    found = sorted((span for span in spans if span["trace_id"] == chosen), key=lambda span: str(span["begun"]))
    if not found:
        what = f"The trace '{chosen}' is not in {file}" if chosen else f"There is no request in {file}"
        raise typer.BadParameter(f"{what}. Spans are written a few seconds after they end.")
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


def _last(spans: Iterable[Span]) -> str | None:
    requests = [span for span in spans if span.get("kind") == "server"]
    return max(requests, key=lambda span: str(span["begun"]))["trace_id"] if requests else None


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
    told = span.get("attributes") or {}
    notes = [f"{short}={told[name]}" for name, short in NOTABLE.items() if name in told]
    links = span.get("links") or []
    notes += [f"links={len(links)}"] if links else []
    after_ms = (_moment(span) - start) * 1000
    plain = f"{span['name']}  [{span.get('service')}]  +{after_ms:.1f} ms, took {span['duration_ms']:.1f} ms"
    return printable("  ".join([plain, *notes])).replace("\n", " ")


def _moment(span: Span) -> float:
    return datetime.fromisoformat(span["begun"]).timestamp()

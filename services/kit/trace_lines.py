"""Spans as JSON lines, for people without a collector: `pipeloom trace` shows them."""

import json
import os
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog
from opentelemetry.sdk.resources import SERVICE_NAME
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import SpanContext, format_span_id, format_trace_id

MAX_FILE_BYTES = 256 * 1024**2

Write = Callable[[bytes], None]

log = structlog.get_logger(repeats=True)


class LineExporter(SpanExporter):
    """Writes a line for each span. What cannot be written is lost, and told now and then."""

    def __init__(self, write: Write) -> None:
        self._write = write

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Write `spans` at once, so that the lines of several processes do not mix."""
        try:
            self._write("".join(f"{json.dumps(told(each))}\n" for each in spans).encode())
        except OSError as error:
            log.warning("spans could not be written; they are lost", error=str(error), spans=len(spans))
            return SpanExportResult.FAILURE
        return SpanExportResult.SUCCESS


def append_to(file: Path) -> Write:
    """Return what appends to `file`, up to MAX_FILE_BYTES. A file that was moved away is made anew."""

    def append(lines: bytes) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            if os.fstat(descriptor).st_size + len(lines) > MAX_FILE_BYTES:
                raise OSError(f"{file} has reached {MAX_FILE_BYTES} bytes; move it away")
            os.write(descriptor, lines)
        finally:
            os.close(descriptor)

    return append


def write_out(lines: bytes) -> None:
    """Write to the standard output; logs go to the other one."""
    sys.stdout.buffer.write(lines)
    sys.stdout.buffer.flush()


def told(span: ReadableSpan) -> dict[str, Any]:
    """Return the document that tells a span that has ended."""
    context = span.get_span_context()
    begun, ended = span.start_time or 0, span.end_time or 0
    return {
        **_ids(context),
        "parent_id": format_span_id(span.parent.span_id) if span.parent else None,
        "service": span.resource.attributes.get(SERVICE_NAME),
        "name": span.name,
        "kind": span.kind.name.lower(),
        "begun": datetime.fromtimestamp(begun / 1e9, UTC).isoformat(timespec="microseconds"),
        "duration_ms": round((ended - begun) / 1e6, 3),
        "status": span.status.status_code.name.lower(),
        "attributes": dict(span.attributes or {}),
        "links": [_ids(link.context) for link in span.links],
    }


def _ids(context: SpanContext | None) -> dict[str, str]:
    if context is None:
        return {}
    return {"trace_id": format_trace_id(context.trace_id), "span_id": format_span_id(context.span_id)}

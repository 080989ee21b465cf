"""Spans that are kept in memory for a test to look at."""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from services.kit.tracing import using


class Spans:
    """What ended so far."""

    def __init__(self, exporter: InMemorySpanExporter) -> None:
        self._exporter = exporter

    @property
    def all(self) -> tuple[ReadableSpan, ...]:
        return self._exporter.get_finished_spans()

    def one(self, name: str) -> ReadableSpan:
        (found,) = (span for span in self.all if span.name == name)
        return found


@contextmanager
def recorded_spans() -> Iterator[Spans]:
    """Trace inside the block, into memory."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with using(provider.get_tracer("tests")):
        yield Spans(exporter)
    provider.shutdown()


def place(span: ReadableSpan) -> tuple[int, int]:
    """Return the ids of a span, to compare with."""
    context = span.get_span_context()
    assert context is not None
    return context.trace_id, context.span_id


def parent(span: ReadableSpan) -> tuple[int, int] | None:
    """Return the ids of a span's parent."""
    return None if span.parent is None else (span.parent.trace_id, span.parent.span_id)


def linked(span: ReadableSpan) -> list[tuple[int, int]]:
    """Return the ids of the spans that a span is linked to."""
    return [(link.context.trace_id, link.context.span_id) for link in span.links]

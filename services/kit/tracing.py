"""Spans of what a process does for a command; nothing of it, and at no cost, unless a tracer is in use.

Only the API of OpenTelemetry is imported here. The SDK is loaded by those processes that export.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext

from opentelemetry.context import Context
from opentelemetry.trace import (
    INVALID_SPAN,
    Link,
    Span,
    SpanKind,
    StatusCode,
    Tracer,
    format_trace_id,
    get_current_span,
    set_span_in_context,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from services.kit.settings import TracingSettings

Attributes = Mapping[str, str | int | float | bool]

_OFF = nullcontext(INVALID_SPAN)
_w3c = TraceContextTextMapPropagator()
_tracer: Tracer | None = None


@contextmanager
def tracing(settings: TracingSettings, service: str) -> Iterator[None]:
    """Trace inside the block as `settings` say; at its end, send what was kept back, under a deadline."""
    if settings.exporter == "none" or os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        yield
        return
    from services.kit.trace_sdk import open_tracer  # the SDK takes a while to import: only who exports pays

    with open_tracer(settings, service) as tracer, using(tracer):
        yield


@contextmanager
def using(tracer: Tracer) -> Iterator[None]:
    """Make every span inside the block with `tracer`."""
    global _tracer
    before, _tracer = _tracer, tracer
    try:
        yield
    finally:
        _tracer = before


def is_on() -> bool:
    """Tell whether spans are made at all."""
    return _tracer is not None


def span(
    name: str,
    kind: SpanKind = SpanKind.INTERNAL,
    *,
    parent: Context | None = None,
    links: Iterable[Link] = (),
    attributes: Attributes | None = None,
) -> AbstractContextManager[Span]:
    """Return a block that is one span, under `parent` or else under the span that it stands in."""
    if _tracer is None:
        return _OFF
    return _spanning(_tracer, name, kind, parent, links, attributes)


@contextmanager
def _spanning(
    tracer: Tracer,
    name: str,
    kind: SpanKind,
    parent: Context | None,
    links: Iterable[Link],
    attributes: Attributes | None,
) -> Iterator[Span]:
    """Tell only the class of an error: what it says may be of a user's, and stands in the logs."""
    with tracer.start_as_current_span(
        name,
        parent,
        kind,
        attributes,
        list(links),
        record_exception=False,
        set_status_on_exception=False,
    ) as opened:
        try:
            yield opened
        except Exception as error:
            opened.set_attribute("error.type", type(error).__qualname__)
            opened.set_status(StatusCode.ERROR)
            raise


def record(
    name: str,
    kind: SpanKind,
    begun_ns: int,
    ended_ns: int,
    *,
    parent: Context,
    links: Iterable[Link] = (),
    attributes: Attributes | None = None,
) -> Context | None:
    """Make a span of what is over; return the context for others below it."""
    if _tracer is None:
        return None
    made = _tracer.start_span(name, parent, kind, attributes, list(links), begun_ns)
    made.end(ended_ns)
    return set_span_in_context(made, Context())


def context_of(traceparent: str | None, tracestate: str | None = None) -> Context | None:
    """Return the context that a `traceparent` names; None for one that W3C says to ignore."""
    if not traceparent:
        return None
    carrier = {"traceparent": traceparent} | ({"tracestate": tracestate} if tracestate else {})
    context = _w3c.extract(carrier, Context())
    return context if get_current_span(context).get_span_context().is_valid else None


def link_to(context: Context) -> Link:
    """Return a link to the span that a context names."""
    return Link(get_current_span(context).get_span_context())


def links_to(traceparents: Iterable[str | None]) -> list[Link]:
    """Return a link for each of `traceparents` that is one."""
    return [link_to(context) for context in map(context_of, traceparents) if context is not None]


def traceparent_of(span: Span) -> str | None:
    """Return the `traceparent` that stands for a span; None for one that is none."""
    told = span.get_span_context()
    return f"00-{told.trace_id:032x}-{told.span_id:016x}-{told.trace_flags:02x}" if told.is_valid else None


def current_traceparent(given: str | None) -> str | None:
    """Return the `traceparent` to send on: of the span that this stands in, else the `given` one if it is valid."""
    return traceparent_of(get_current_span()) or (given if context_of(given) is not None else None)


def trace_id_of(traceparent: str | None) -> str | None:
    """Return the trace id of a `traceparent`, as logs and `pipeloom trace` spell it; None when it is none."""
    context = context_of(traceparent)
    return None if context is None else format_trace_id(get_current_span(context).get_span_context().trace_id)

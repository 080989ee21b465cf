"""The SDK of OpenTelemetry, set up from our settings and its own variables (`OTEL_…`)."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_NAMESPACE, Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import ParentBased, Sampler, TraceIdRatioBased
from opentelemetry.trace import Tracer

from services.kit.settings import TracingSettings
from services.kit.trace_lines import LineExporter, append_to, write_out

FLUSH_S = 2.0
# A batch is linked to each of its commands; the largest batch that can be set has as many.
MAX_LINKS = 5000

log = structlog.get_logger()


@contextmanager
def open_tracer(settings: TracingSettings, service: str) -> Iterator[Tracer]:
    """Give a tracer whose spans wait in a bounded queue for the exporter; who makes them never waits."""
    provider = TracerProvider(
        sampler=_sampler(settings.sample_ratio),
        resource=_resource(service),
        shutdown_on_exit=False,
        span_limits=SpanLimits(max_links=MAX_LINKS),
    )
    provider.add_span_processor(BatchSpanProcessor(_exporter(settings)))
    try:
        yield provider.get_tracer("pipeloom")
    finally:
        _end(provider)


def _end(provider: TracerProvider) -> None:
    """Send what waits, for FLUSH_S at most: a collector that does not answer may not hold up the end."""
    ending = threading.Thread(target=provider.shutdown, name="end of tracing", daemon=True)
    ending.start()
    ending.join(FLUSH_S)
    if ending.is_alive():
        log.warning("spans were left behind: they could not be exported in time", within_s=FLUSH_S)


def _sampler(ratio: float | None) -> Sampler | None:
    """Return a sampler that keeps what its caller keeps; None leaves it to OTEL_TRACES_SAMPLER."""
    return None if ratio is None else ParentBased(TraceIdRatioBased(ratio))


def _resource(service: str) -> Resource:
    own = {} if os.environ.get("OTEL_SERVICE_NAME") else {SERVICE_NAME: f"pipeloom-{service}"}
    return Resource.create({SERVICE_NAMESPACE: "pipeloom", **own})


def _exporter(settings: TracingSettings) -> SpanExporter:
    match settings.exporter:
        case "file":
            return LineExporter(append_to(settings.file))
        case "console":
            return LineExporter(write_out)
        case _:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

            return OTLPSpanExporter()

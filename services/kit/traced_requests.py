"""A span for each request, after the semantic conventions of OpenTelemetry for HTTP servers."""

from collections.abc import Mapping
from typing import Any

from opentelemetry.trace import Span, SpanKind, StatusCode, format_trace_id
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.kit.tracing import Attributes, context_of, span

# Asked by machines, every few seconds.
UNTOLD = frozenset({"/livez", "/readyz", "/metrics"})
TRACE_HEADER = "Pipeloom-Trace-Id"
# From here on the error is ours.
BROKEN = 500


class TracedRequests:
    """Opens a span under the caller's `traceparent`, or a new trace, and names the trace in the answer."""

    def __init__(self, app: ASGIApp, prefix: str = "") -> None:
        """Routes under `prefix` know of the rest of their address only."""
        self._app = app
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in UNTOLD:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        parent = context_of(headers.get("traceparent"), ",".join(headers.getlist("tracestate")) or None)
        with span(scope["method"], SpanKind.SERVER, parent=parent, attributes=_asked(scope, headers)) as request:

            async def send_traced(message: Message) -> None:
                if message["type"] == "http.response.start":
                    _answered(request, message)
                await send(message)

            try:
                await self._app(scope, receive, send_traced)
            finally:
                self._name(request, scope)

    def _name(self, request: Span, scope: Scope) -> None:
        """Name the span by its route, which is known only now: an address that is none of ours names nothing."""
        route = getattr(scope.get("route"), "path", None)
        if route:
            if scope["path"].startswith(self._prefix) and not route.startswith(self._prefix):
                route = self._prefix + route
            request.update_name(f"{scope['method']} {route}")
            request.set_attribute("http.route", route)
        request.set_attribute("pipeloom.request_id", str(scope.get("request_id", "")))


def _asked(scope: Scope, headers: Mapping[str, str]) -> Attributes:
    """Return what is known from the start. The query is left out: it may hold what is nobody's business."""
    host, port = scope.get("server") or ("", None)
    told: dict[str, Any] = {
        "http.request.method": scope["method"],
        "url.path": scope["path"],
        "url.scheme": scope.get("scheme", "http"),
        "network.protocol.version": scope.get("http_version", "1.1"),
        "server.address": host,
        "server.port": port,
        "user_agent.original": headers.get("user-agent"),
    }
    return {name: value for name, value in told.items() if value}


def _answered(request: Span, message: Message) -> None:
    status = message["status"]
    request.set_attribute("http.response.status_code", status)
    if status >= BROKEN:
        request.set_attribute("error.type", str(status))
        request.set_status(StatusCode.ERROR)
    if request.is_recording():  # else there will be nothing to look at
        MutableHeaders(scope=message)[TRACE_HEADER] = format_trace_id(request.get_span_context().trace_id)

"""What the logs say of requests: each line by which one it was written, and a line for those that failed."""

import time

import structlog
from opentelemetry.trace import format_trace_id, get_current_span
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.kit.log_context import telling
from services.kit.traced_requests import BROKEN, UNTOLD
from services.kit.tracing import is_on, trace_id_of

log = structlog.get_logger()


class RequestLog:
    """Tells every request that we could not answer, and all of them where that is asked for."""

    def __init__(self, app: ASGIApp, log_requests: bool = False) -> None:
        self._app = app
        self._log_requests = log_requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in UNTOLD:
            await self._app(scope, receive, send)
            return
        begun = time.monotonic()

        async def send_told(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._tell(scope, message["status"], begun)
            await send(message)

        with telling(trace_id=_trace_id(scope)):
            await self._app(scope, receive, send_told)

    def _tell(self, scope: Scope, status: int, begun: float) -> None:
        if status < BROKEN and not self._log_requests:
            return
        duration_ms = round((time.monotonic() - begun) * 1000, 1)
        say = log.warning if status >= BROKEN else log.info
        say(
            "a request was answered", method=scope["method"], path=scope["path"], status=status, duration_ms=duration_ms
        )


def _trace_id(scope: Scope) -> str | None:
    """Return the trace that the request is part of: its span's, else its caller's."""
    if is_on():
        return format_trace_id(get_current_span().get_span_context().trace_id)
    given = next((value for name, value in scope["headers"] if name == b"traceparent"), None)
    return trace_id_of(given.decode("latin-1")) if given else None

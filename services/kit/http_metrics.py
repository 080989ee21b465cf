"""Counts and times requests by the template of their route: a pure ASGI middleware."""

from functools import cache
from time import perf_counter

from prometheus_client import Counter, Gauge, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.kit.health import HEALTH_PATHS
from services.kit.metrics import FINE_S

REQUESTS = Counter(
    "pipeloom_http_requests", "Requests by method, route template and status", ["method", "route", "status"]
)
SECONDS = Histogram(
    "pipeloom_http_request_seconds",
    "From a request's headers to the first byte of its answer",
    ["method", "route"],
    buckets=FINE_S,
)
IN_FLIGHT = Gauge("pipeloom_http_requests_in_flight", "Requests whose answer is not sent whole; streams are among them")

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# What no route of the API took.
OTHER = "other"
UNANSWERED = "none"

_counter = cache(lambda method, route, status: REQUESTS.labels(method, route, status))
_timer = cache(lambda method, route: SECONDS.labels(method, route))


class Measured:
    """Measures every request of the application inside, but for those who only ask whether the process is ready."""

    def __init__(self, app: ASGIApp, prefix: str = "") -> None:
        """Tell templates without `prefix`, which is that of the whole API."""
        self._app = app
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in HEALTH_PATHS:
            await self._app(scope, receive, send)
            return
        begun = perf_counter()
        status = UNANSWERED

        async def send_measured(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
                self._tell(scope, status, perf_counter() - begun)
            await send(message)

        IN_FLIGHT.inc()
        try:
            await self._app(scope, receive, send_measured)
        finally:
            IN_FLIGHT.dec()
            if status is UNANSWERED:
                self._tell(scope, status, perf_counter() - begun)

    def _tell(self, scope: Scope, status: str, seconds: float) -> None:
        method = scope["method"] if scope["method"] in METHODS else OTHER
        template = getattr(scope.get("route"), "path", OTHER)
        route = template.removeprefix(self._prefix)
        _counter(method, route, status).inc()
        _timer(method, route).observe(seconds)

"""What every process tells of itself in numbers, and the page that tells it: Prometheus' default registry.

A label is one of a few known words, a code, a type, a partition or a route; never a name, an id or a message.
"""

import re
from collections.abc import Iterator

from prometheus_client import REGISTRY, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.kit.pools import pool_metrics

FINE_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
SIZES = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000)

_TRACE = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")

disable_created_metrics()  # type: ignore[no-untyped-call] # when each series began is of no use here, and doubles them

LOOP_LAG = Histogram("pipeloom_event_loop_lag_seconds", "How late the event loop woke a sleeper up", buckets=FINE_S)
CLIENTS_REPLACED = Counter(
    "pipeloom_kafka_clients_replaced", "Kafka clients that were given up for a new one", ["client"]
)
PLACES_REFUSED = Counter(
    "pipeloom_places_refused",
    "Requests that were refused for want of a place: the process is full, an environment has its share, or its turn "
    "did not come in time",
    ["kind", "reason"],
)
TURNS_QUEUED = Gauge("pipeloom_turns_queued", "Commands and pages of lists that wait for a turn of their environment")

HELD_UP = Gauge("pipeloom_held_up_seconds", "For how long work has waited and nothing has moved", ["what", "partition"])
GAVE_UP = Counter("pipeloom_watchdog_ends", "Ends of this process because its work stood still")


def exemplar_of(traceparent: str | None) -> dict[str, str] | None:
    """Return what leads from a measurement to its trace, or None when `traceparent` names none."""
    trace = _TRACE.fullmatch(traceparent or "")
    if trace is None or not trace[1].strip("0"):
        return None
    return {"trace_id": trace[1]}


class Exposed(Collector):
    """All that a process tells: whether its parts are well, its pools, and the default registry."""

    def __init__(self, readiness: dict[str, str | None]) -> None:
        """Tell of the parts of a health page; a trouble of None means that a part is well."""
        self._readiness = readiness

    def collect(self) -> Iterator[Metric]:
        """Give every metric family."""
        ready = GaugeMetricFamily("pipeloom_part_ready", "1 when the part works, else 0", labels=["part"])
        for part, trouble in self._readiness.items():
            ready.add_metric([part], trouble is None)
        yield ready
        yield from pool_metrics()
        yield from REGISTRY.collect()


def metrics_route(readiness: dict[str, str | None]) -> Route:
    """Return /metrics: OpenMetrics, with exemplars, for a scraper that asks for it; else Prometheus' text."""
    exposed = Exposed(readiness)

    async def metrics(request: Request) -> Response:
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(exposed), headers={"Content-Type": content_type})

    return Route("/metrics", metrics)

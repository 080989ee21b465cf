"""What a process tells Prometheus, and how requests are measured."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from prometheus_client import REGISTRY
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families

from services.kit.health import Health, health_app
from services.kit.loop_lag import measure_loop_lag
from services.kit.metrics import LOOP_LAG, exemplar_of
from services.kit.process import running

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
OPEN_METRICS = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def requests(method: str, route: str, status: str) -> float:
    return value("pipeloom_http_requests_total", method=method, route=route, status=status)


@pytest.fixture
async def admin(health: Health) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(health_app(health))
    async with httpx.AsyncClient(transport=transport, base_url="http://admin.test") as client:
        yield client


async def test_a_scraper_gets_text_and_one_that_asks_for_it_openmetrics(admin: httpx.AsyncClient) -> None:
    plain = await admin.get("/metrics")
    assert plain.headers["content-type"].startswith("text/plain")
    assert {family.name for family in text_string_to_metric_families(plain.text)} >= {"process_cpu_seconds"}

    LOOP_LAG.observe(0.3, {"trace_id": TRACE})
    told = await admin.get("/metrics", headers={"Accept": OPEN_METRICS})
    assert told.headers["content-type"].startswith("application/openmetrics-text")
    families = open_metrics(told.text)  # type: ignore[no-untyped-call]
    exemplars = [sample.exemplar for family in families for sample in family.samples]
    assert {"trace_id": TRACE} in [exemplar.labels for exemplar in exemplars if exemplar]


async def test_the_parts_of_the_health_page_are_told_without_their_reasons(
    admin: httpx.AsyncClient, health: Health
) -> None:
    health.well("kafka")
    health.ill("postgres", "secret reason")
    text = (await admin.get("/metrics")).text
    assert 'pipeloom_part_ready{part="kafka"} 1.0' in text
    assert 'pipeloom_part_ready{part="postgres"} 0.0' in text
    assert "secret reason" not in text


async def test_the_public_port_tells_no_metrics(http: httpx.AsyncClient) -> None:
    assert (await http.get("http://pipeloom.test/metrics")).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "route", "status"),
    [
        ("GET", "/things/1", "/things/{number}", "200"),
        ("HEAD", "/things/2", "/things/{number}", "200"),
        ("GET", "/things/one", "/things/{number}", "422"),
        ("POST", "/things/3", "/things/{number}", "405"),
        ("GET", "/absent/4", "other", "404"),
    ],
)
async def test_a_request_is_counted_under_the_template_of_its_route(
    http: httpx.AsyncClient, method: str, path: str, route: str, status: str
) -> None:
    counted = "GET" if method == "HEAD" else method
    before = requests(counted, route, status), value("pipeloom_http_request_seconds_count", method=counted, route=route)
    assert str((await http.request(method, path)).status_code) == status
    after = requests(counted, route, status), value("pipeloom_http_request_seconds_count", method=counted, route=route)
    assert after == (before[0] + 1, before[1] + 1)
    assert value("pipeloom_http_requests_in_flight") == 0


async def test_a_body_that_is_refused_before_any_route_counts_too(http: httpx.AsyncClient) -> None:
    before = requests("POST", "other", "413")
    await http.post("/echo", content=b" ", headers={"Content-Length": str(10**9)})
    assert requests("POST", "other", "413") == before + 1


async def test_who_only_asks_whether_the_process_is_ready_is_not_counted(http: httpx.AsyncClient) -> None:
    def all_requests() -> float:
        (family,) = (each for each in REGISTRY.collect() if each.name == "pipeloom_http_requests")
        return sum(sample.value for sample in family.samples)

    before = all_requests()
    assert (await http.get("http://pipeloom.test/readyz")).status_code == 503
    assert (await http.get("http://pipeloom.test/livez")).status_code == 200
    assert all_requests() == before


async def test_a_method_that_somebody_made_up_makes_no_series(http: httpx.AsyncClient) -> None:
    before = requests("other", "other", "405") + requests("other", "other", "404")
    await http.request("FROBNICATE", "/absent")
    assert requests("other", "other", "405") + requests("other", "other", "404") == before + 1


async def test_the_lag_of_the_event_loop_is_measured_while_a_process_runs() -> None:
    before = value("pipeloom_event_loop_lag_seconds_count")
    async with running(measure_loop_lag()), asyncio.timeout(10):
        while value("pipeloom_event_loop_lag_seconds_count") == before:  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("traceparent", "exemplar"),
    [
        (f"00-{TRACE}-00f067aa0ba902b7-01", {"trace_id": TRACE}),
        (f"00-{'0' * 32}-00f067aa0ba902b7-01", None),
        ("00-short-00f067aa0ba902b7-01", None),
        ("", None),
        (None, None),
    ],
)
def test_only_a_trace_that_can_be_one_becomes_an_exemplar(traceparent: Any, exemplar: Any) -> None:
    assert exemplar_of(traceparent) == exemplar

"""The span of a request, and the lines that the logs have of it."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from fastapi import APIRouter
from opentelemetry.trace import SpanKind, StatusCode
from structlog.testing import capture_logs

from events.refusals import Code, Refused
from services.kit.health import Health
from services.kit.log_context import add_told
from services.kit.traced_requests import TRACE_HEADER
from services.kit.web import make_app
from tests.support.spans import Spans, parent, place, recorded_spans

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
GIVEN = f"00-{TRACE}-00f067aa0ba902b7-01"

told_inside: list[dict[str, Any]] = []


def routes() -> APIRouter:
    router = APIRouter()

    @router.get("/things/{name}")
    async def thing(name: str) -> dict[str, str]:
        told_inside.append(dict(add_told(None, "", {})))
        return {"name": name}

    @router.get("/unavailable")
    async def unavailable() -> None:
        raise Refused(Code.POSTGRES_UNAVAILABLE, "Postgres is away.")

    return router


def client(*, log_requests: bool = False) -> httpx.AsyncClient:
    app = make_app("Things", [routes()], Health(), log_requests=log_requests)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://pipeloom.test")


@pytest.fixture
def spans() -> Iterator[Spans]:
    with recorded_spans() as found:
        yield found


@pytest.fixture
async def traced(spans: Spans) -> AsyncIterator[httpx.AsyncClient]:
    async with client() as found:
        yield found


async def test_a_span_is_named_by_the_route_and_not_by_what_is_asked_of_it(
    traced: httpx.AsyncClient, spans: Spans
) -> None:
    answer = await traced.get("/api/v1/things/churn", params={"token": "secret"}, headers={"X-Request-Id": "r-1"})
    (request,) = spans.all
    assert (request.name, request.kind, parent(request)) == ("GET /api/v1/things/{name}", SpanKind.SERVER, None)
    assert answer.headers[TRACE_HEADER] == f"{place(request)[0]:032x}"
    told = dict(request.attributes or {})
    assert (told["url.path"], told["http.route"]) == ("/api/v1/things/churn", "/api/v1/things/{name}")
    assert (told["http.response.status_code"], told["pipeloom.request_id"]) == (200, "r-1")
    assert "secret" not in request.to_json()


async def test_a_request_stays_in_its_callers_trace(traced: httpx.AsyncClient, spans: Spans) -> None:
    headers = {"traceparent": GIVEN, "tracestate": "a=1,b=2"}
    answer = await traced.get("/api/v1/things/churn", headers=headers)
    (request,) = spans.all
    assert (parent(request), answer.headers[TRACE_HEADER]) == ((int(TRACE, 16), 0x00F067AA0BA902B7), TRACE)
    context = request.get_span_context()
    assert context is not None
    assert context.trace_state.to_header() == "a=1,b=2"


async def test_an_invalid_traceparent_begins_a_new_trace(traced: httpx.AsyncClient, spans: Spans) -> None:
    answer = await traced.get("/api/v1/things/churn", headers={"traceparent": "00-trace", "tracestate": "=,="})
    assert answer.status_code == 200
    assert parent(spans.all[0]) is None


@pytest.mark.parametrize(
    ("path", "name", "status"),
    [("/api/v1/unavailable", "GET /api/v1/unavailable", StatusCode.ERROR), ("/nowhere", "GET", StatusCode.UNSET)],
)
async def test_an_error_of_ours_is_an_error_and_one_of_the_client_is_not(
    traced: httpx.AsyncClient, spans: Spans, path: str, name: str, status: StatusCode
) -> None:
    with capture_logs():
        await traced.get(path)
    assert [(each.name, each.status.status_code) for each in spans.all] == [(name, status)]


async def test_what_machines_ask_all_the_time_is_not_traced(traced: httpx.AsyncClient, spans: Spans) -> None:
    assert (await traced.get("/livez")).status_code == 200
    assert spans.all == ()


async def test_without_tracing_no_answer_names_a_trace() -> None:
    async with client() as plain:
        answer = await plain.get("/api/v1/things/churn", headers={"traceparent": GIVEN})
    assert (answer.status_code, TRACE_HEADER in answer.headers) == (200, False)


async def test_lines_of_a_request_name_it_and_its_callers_trace() -> None:
    told_inside.clear()
    async with client() as plain:
        await plain.get("/api/v1/things/churn", headers={"traceparent": GIVEN, "X-Request-Id": "r-2"})
        await plain.get("/api/v1/things/churn", headers={"X-Request-Id": "r-3"})
    assert told_inside == [{"request_id": "r-2", "trace_id": TRACE}, {"request_id": "r-3"}]
    assert add_told(None, "", {"event": "behind"}) == {"event": "behind"}


async def test_a_request_that_we_failed_has_a_line_and_others_have_none() -> None:
    with capture_logs() as logged:
        async with client() as plain:
            for path in ("/api/v1/unavailable", "/api/v1/things/churn", "/nowhere", "/readyz"):
                await plain.get(path)
    assert [(line["path"], line["status"], line["log_level"]) for line in logged] == [
        ("/api/v1/unavailable", 503, "warning")
    ]


async def test_every_request_has_a_line_where_that_is_asked_for() -> None:
    with capture_logs() as logged:
        async with client(log_requests=True) as plain:
            for path in ("/api/v1/things/churn", "/livez"):
                await plain.get(path)
    assert [(line["method"], line["path"], line["status"], line["log_level"]) for line in logged] == [
        ("GET", "/api/v1/things/churn", 200, "info")
    ]

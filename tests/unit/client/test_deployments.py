"""Around a deployment: its options, its token, its schedule; and the logs of all kinds of things."""

from datetime import UTC, datetime
from typing import Any

import pytest

from pipeloom import WrongExecutionRule

from .conftest import Caller, Service

MOMENT = datetime(2026, 1, 31, 12, 0, 0, 500_000, tzinfo=UTC)
MOMENT_MS = 1769860800500


async def test_options_are_sent_by_their_names(call: Caller, service: Service) -> None:
    options = {
        "mode": "low_latency",
        "description": "Live",
        "enable_parallel_executions": True,
        "max_parallel_executions_per_pod": 4,
        "ram_request": "512MiB",
        "gpu_request": 0,
    }
    service.answers(201, {"name": "live"})

    await call("create_deployment", "churn", "live", "endpoint", **options)

    assert service.body == {"name": "live", "pipeline_name": "churn", **options}


async def test_a_new_token_is_asked_for_without_a_body(call: Caller, service: Service) -> None:
    service.answers(200, {"endpoint_token": "t"})
    assert await call("generate_new_endpoint_token", "live now") == {"endpoint_token": "t"}
    request = service.request
    assert (request.method, request.url.raw_path) == ("POST", b"/api/v1/endpoints/live%20now/generate-new-token")
    assert request.content == b""


async def test_a_schedule_is_read(call: Caller, service: Service) -> None:
    service.answers(200, {"next_times": []})
    assert await call("get_deployment_schedule", "nightly") == {"next_times": []}
    assert service.request.url.path == "/api/v1/deployments/nightly/schedule"


async def test_an_endpoint_has_no_schedule(call: Caller, service: Service) -> None:
    service.answers(409, {"name": "wrong_execution_rule", "message": "an endpoint"})
    with pytest.raises(WrongExecutionRule):
        await call("get_deployment_schedule", "live")


@pytest.mark.parametrize("kind", ["step", "pipeline", "deployment"])
@pytest.mark.parametrize(
    ("range_", "body"),
    [
        ({}, {}),
        ({"from_datetime": MOMENT, "limit": 5}, {"from": MOMENT_MS, "limit": 5}),
        ({"to_datetime": MOMENT}, {"to": MOMENT_MS}),
    ],
)
async def test_logs_are_read_by_a_range(
    call: Caller, service: Service, kind: str, range_: dict[str, Any], body: dict[str, Any]
) -> None:
    service.answers(200, [{"timestamp": "t", "message": "m"}])

    assert await call(f"get_{kind}_logs", "a", **range_) == [{"timestamp": "t", "message": "m"}]

    assert (service.request.method, service.request.url.path) == ("POST", f"/api/v1/{kind}s/a/logs")
    assert service.body == body
    assert "idempotency-key" not in service.request.headers

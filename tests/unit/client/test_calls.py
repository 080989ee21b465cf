"""What each call sends, and what it makes of the answer."""

from typing import Any
from uuid import UUID

import pytest

from .conftest import Caller, Service

PIPELINE = {"pipeline_name": "churn", "steps": ["train"]}


CALLS: list[tuple[str, dict[str, Any], str]] = [
    ("who_am_i", {}, "GET /users/me"),
    ("get_user", {"user_id": "u-1"}, "GET /users/u-1"),
    ("get_step", {"step_name": "s"}, "GET /steps/s"),
    ("delete_step", {"step_name": "s"}, "DELETE /steps/s?force_dependents_deletion=false"),
    ("get_pipeline", {"pipeline_name": "p"}, "GET /pipelines/p"),
    ("delete_pipeline", {"pipeline_name": "p"}, "DELETE /pipelines/p?force_deployments_deletion=false"),
    (
        "delete_pipeline",
        {"pipeline_name": "p", "force_deployments_deletion": True},
        "DELETE /pipelines/p?force_deployments_deletion=true",
    ),
    ("get_deployment", {"deployment_name": "d"}, "GET /deployments/d"),
    ("delete_deployment", {"deployment_name": "d"}, "DELETE /deployments/d"),
    ("activity", {"minutes": 15}, "GET /activity?minutes=15"),
    ("get_command", {"command_id": "c-1"}, "GET /commands/c-1"),
    ("get_command", {"command_id": "c-1", "wait_s": 7.5}, "GET /commands/c-1?wait=8"),
    ("get_command", {"command_id": "c-1", "wait_s": 600}, "GET /commands/c-1?wait=60"),
]


@pytest.mark.parametrize(("method", "arguments", "expected"), CALLS)
async def test_a_call_sends_one_request_and_returns_the_document(
    call: Caller, service: Service, method: str, arguments: dict[str, Any], expected: str
) -> None:
    service.answers(200, {"some": "document"})

    assert await call(method, **arguments) == {"some": "document"}

    request = service.request
    assert f"{request.method} {request.url.raw_path.decode()}" == expected.replace(" ", " /api/v1")
    assert request.content == b""


async def test_a_pipeline_is_asked_for_with_a_list_of_its_one_step(call: Caller, service: Service) -> None:
    service.answers(200, PIPELINE)

    assert await call("create_pipeline", "churn", "train") == PIPELINE

    assert (service.request.method, service.request.url.path) == ("POST", "/api/v1/pipelines")
    assert service.body == {"pipeline_name": "churn", "step_names": ["train"]}


@pytest.mark.parametrize(
    ("rule", "options", "address"),
    [("endpoint", {}, "/api/v1/endpoints"), ("periodic", {"schedule": "0 6 * * *"}, "/api/v1/periodic-deployment")],
)
async def test_a_deployment_is_asked_for_at_the_address_of_its_rule(
    call: Caller, service: Service, rule: str, options: dict[str, str], address: str
) -> None:
    service.answers(200, {"name": "live"})

    await call("create_deployment", "churn", "live", rule, **options)

    assert service.request.url.path == address
    assert service.body == {"name": "live", "pipeline_name": "churn", "mode": "elastic", **options}


@pytest.mark.parametrize("collection", ["steps", "pipelines", "deployments"])
async def test_a_list_is_returned_as_it_is(call: Caller, service: Service, collection: str) -> None:
    service.answers(200, [PIPELINE])

    assert await call(f"list_{collection}") == [PIPELINE]
    assert service.request.url.path == f"/api/v1/{collection}"


async def test_a_name_is_escaped_in_the_path(call: Caller, service: Service) -> None:
    service.answers(200, PIPELINE)

    await call("get_pipeline", "a/b c?d#é%")

    assert service.request.url.raw_path == b"/api/v1/pipelines/a%2Fb%20c%3Fd%23%C3%A9%25"


async def test_a_name_of_dots_does_not_climb_out_of_its_collection(call: Caller, service: Service) -> None:
    service.answers(404, {"name": "pipeline_not_found", "message": "no"})

    assert await call("get_pipeline", "..") is None
    assert service.request.url.raw_path == b"/api/v1/pipelines/%2E%2E"


async def test_an_unknown_execution_rule_is_told_before_anything_is_sent(call: Caller, service: Service) -> None:
    with pytest.raises(ValueError, match="endpoint, periodic"):
        await call("create_deployment", "p", "d", "hourly")
    assert service.requests == []


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("create_step", ("s", "src/s.py", "run")),
        ("create_pipeline", ("p", "s")),
        ("create_deployment", ("p", "d", "endpoint")),
        ("generate_new_endpoint_token", ("d",)),
        ("update_step", ("s",)),
        ("create_or_update_environment_variables", ({"A": "1"},)),
        ("delete_step", ("s",)),
        ("delete_pipeline", ("p",)),
        ("delete_deployment", ("d",)),
    ],
)
async def test_every_write_carries_an_idempotency_key(
    call: Caller, service: Service, method: str, arguments: tuple[str, ...]
) -> None:
    service.answers(200, {"creation_info": {"status": "Ready"}}).answers(200, {"creation_info": {"status": "Ready"}})

    await call(method, *arguments)
    await call(method, *arguments, idempotency_key="my-key")

    made_up, given = (request.headers["idempotency-key"] for request in service.requests)
    assert UUID(made_up).version == 4
    assert given == "my-key"


async def test_a_read_carries_no_idempotency_key(call: Caller, service: Service) -> None:
    service.answers(200, [])
    await call("list_pipelines")
    assert "idempotency-key" not in service.request.headers


async def test_a_write_waits_longer_than_the_service_does(call: Caller, service: Service) -> None:
    service.answers(200, PIPELINE).answers(200, PIPELINE)

    await call("create_pipeline", "churn", "train")
    await call("get_command", "c-1", wait_s=60)

    write, held_read = (request.extensions["timeout"]["read"] for request in service.requests)
    assert write > 30
    assert held_read > 60


async def test_a_command_without_a_result_is_asked_for_until_the_wait_is_over(call: Caller, service: Service) -> None:
    service.answers(202, {"status": "unknown"}).answers(200, {"status": "succeeded"})

    assert await call("get_command", "c-1", wait_s=30) == {"status": "succeeded"}
    assert len(service.requests) == 2


async def test_a_command_that_is_not_waited_for_is_asked_for_once(call: Caller, service: Service) -> None:
    service.answers(202, {"status": "unknown"})
    assert await call("get_command", "c-1") == {"status": "unknown"}

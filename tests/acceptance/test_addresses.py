"""Addresses that are not there, methods that they do not take, and the one shape of their errors."""

import pytest

from tests.acceptance.problems import problem
from tests.acceptance.stack import Stack
from tests.acceptance.tenant import API, Tenant


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "PUT"])
@pytest.mark.parametrize("address", ["/", "/api", API, f"{API}/nothing", "/api/v2/pipelines", f"{API}/pipelines/a/b/c"])
async def test_there_is_nothing_at_an_unknown_address(tenant: Tenant, stack: Stack, method: str, address: str) -> None:
    problem(await tenant.http.request(method, stack.url + address), 404, "not_found")


@pytest.mark.parametrize(
    ("method", "address"),
    [
        ("GET", "/pipelines/"),
        ("POST", "/pipelines/"),
        ("DELETE", "/pipelines/"),
        ("GET", "/pipelines/churn/"),
        ("DELETE", "/pipelines/churn/"),
        ("GET", "/pipelines//executions/latest"),
        ("GET", "/steps/"),
        ("GET", "/deployments/"),
        ("GET", "/commands/"),
    ],
)
@pytest.mark.usefixtures("pipeline")
async def test_a_slash_at_the_end_is_another_address(tenant: Tenant, method: str, address: str) -> None:
    body = {"pipeline_name": "new", "step_names": ["train"]} if method == "POST" else None

    problem(await tenant.http.request(method, address, json=body), 404, "not_found")

    assert await tenant.names("/pipelines", "pipeline_name") == ["churn"]


@pytest.mark.parametrize(
    ("method", "address", "allowed"),
    [
        ("PATCH", "/pipelines", {"GET", "POST"}),
        ("DELETE", "/pipelines", {"GET", "POST"}),
        ("PUT", "/pipelines/churn", {"GET", "DELETE"}),
        ("POST", "/pipelines/churn", {"GET", "DELETE"}),
        ("PUT", "/steps", {"GET", "POST"}),
        ("PATCH", "/steps/train", {"GET", "PUT", "DELETE"}),
        ("POST", "/deployments", {"GET"}),
        ("GET", "/endpoints", {"POST"}),
        ("GET", "/periodic-deployment", {"POST"}),
        ("GET", "/auth/refresh", {"POST"}),
        ("POST", "/pipelines/churn/executions/latest", {"GET"}),
    ],
)
async def test_a_method_that_an_address_does_not_take_is_refused_with_those_that_it_takes(
    tenant: Tenant, method: str, address: str, allowed: set[str]
) -> None:
    answer = await tenant.http.request(method, address)

    problem(answer, 405, "method_not_allowed")
    assert set(answer.headers["allow"].split(", ")) - {"HEAD"} == allowed


@pytest.mark.parametrize("given", ["my-request.1", "x" * 100])
async def test_a_request_keeps_the_id_that_its_client_gave_it(tenant: Tenant, given: str) -> None:
    answer = await tenant.http.get("/pipelines/absent", headers={"X-Request-Id": given})

    assert problem(answer, 404, "pipeline_not_found")["request_id"] == given


@pytest.mark.parametrize("given", ["", "a b", "x" * 101, "é"])
async def test_a_request_id_that_could_not_be_searched_for_is_replaced(tenant: Tenant, given: str) -> None:
    answer = await tenant.http.get("/pipelines/absent", headers={b"X-Request-Id": given.encode()})

    assert problem(answer, 404, "pipeline_not_found")["request_id"] != given

"""Parameters of an address that make no sense, and refreshes without a token."""

import json

import pytest

from tests.acceptance.problems import problem
from tests.acceptance.tenant import Tenant

JSON = "application/json"
WRONG_PARAMETERS = {
    "a limit of none": ("GET", "/pipelines?limit=0"),
    "a limit that is no number": ("GET", "/pipelines?limit=all"),
    "a limit over a thousand": ("GET", "/steps?limit=1001"),
    "a name to begin behind that is too long": ("GET", f"/deployments?after={'x' * 256}"),
    "a force that is neither yes nor no": ("DELETE", "/pipelines/churn?force_deployments_deletion=perhaps"),
    "a wait that is neither yes nor no": ("GET", "/steps/train?wait_for_completion=perhaps"),
    "a user that is no id": ("GET", "/users/ada"),
}


@pytest.mark.parametrize(("method", "address"), WRONG_PARAMETERS.values(), ids=WRONG_PARAMETERS)
async def test_a_parameter_of_the_wrong_form_is_refused(tenant: Tenant, method: str, address: str) -> None:
    problem(await tenant.http.request(method, address), 422, "invalid_parameter")

    assert await tenant.sent() == []


@pytest.mark.parametrize("address", ["/pipelines", "/steps", "/deployments"])
async def test_nul_to_begin_behind_is_a_mistake_of_the_client(tenant: Tenant, address: str) -> None:
    answer = await tenant.http.get(f"{address}?after=%00")

    assert 400 <= problem(answer, answer.status_code, answer.json()["name"])["status"] < 500


REFRESHES = {
    "nothing": b"",
    "not JSON": b"token",
    "no object": b"[]",
    "no token": b"{}",
    "a number": b'{"refresh_token": 7}',
    "an empty token": b'{"refresh_token": ""}',
    "a lone surrogate": b'{"refresh_token": "\\ud800"}',
    "bytes that are not UTF-8": b'{"refresh_token": "\xff"}',
    "a token of 1001 characters": json.dumps({"refresh_token": "x" * 1001}).encode(),
    "5000 levels": b"[" * 5000,
}


@pytest.mark.parametrize("body", REFRESHES.values(), ids=REFRESHES)
async def test_a_refresh_without_a_token_is_refused(tenant: Tenant, body: bytes) -> None:
    answer = await tenant.http.post("/auth/refresh", content=body, headers={"content-type": JSON})

    assert answer.json()["name"] in {"invalid_json", "invalid_body", "invalid_parameter"}
    assert 400 <= problem(answer, answer.status_code, answer.json()["name"])["status"] < 500

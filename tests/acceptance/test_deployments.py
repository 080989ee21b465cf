"""Deployments beside their mappings: what they say of themselves while nothing runs them, and endpoints' tokens."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from events.commands import DeploymentRequested
from tests.acceptance.feed import data_of, name_of
from tests.acceptance.problems import problem
from tests.acceptance.tenant import NewTenant, Tenant


async def test_a_deployment_says_that_nothing_runs_it(tenant: Tenant, pipeline: str) -> None:
    created = (await tenant.create_endpoint("live", pipeline)).json()
    page = (await tenant.http.get("/deployments/live")).json()
    (entry,) = (await tenant.http.get("/deployments")).json()

    assert (page["status"], page["update_status"]) == ("standby", "success")
    assert (page["is_enabled"], page["active"], entry["is_enabled"]) == (True, True, True)
    assert {key: created[key] for key in page} == page
    assert "pods" not in page


async def test_who_waits_for_the_creation_is_told_that_it_has_ended(tenant: Tenant, pipeline: str) -> None:
    await tenant.schedule("nightly", pipeline, "0 3 * * *")
    plain = (await tenant.http.get("/deployments/nightly")).json()

    waited = (await tenant.http.get("/deployments/nightly", params={"wait_for_completion": "true"})).json()

    # From 0.52 on the SDK asks again at once at any other status.
    assert waited == {**plain, "status": "up"}
    problem(await tenant.http.get("/deployments/absent?wait_for_completion=true"), 404, "deployment_not_found")


async def test_who_created_an_endpoint_and_waits_is_told_its_token_and_nobody_else_is(
    tenant: Tenant, pipeline: str, new_tenant: NewTenant
) -> None:
    created = (await tenant.create_endpoint("live", pipeline)).json()
    colleague = await new_tenant(tenant.environment)

    async def waited(who: Tenant) -> dict[str, Any]:
        answer = await who.http.get("/deployments/live", params={"wait_for_completion": "true"})
        assert answer.headers["cache-control"] == "no-store"
        return dict(answer.json())

    assert await waited(tenant) == {**created, "status": "up"}
    assert "endpoint_token" not in await waited(colleague)
    await tenant.http.post("/endpoints/live/generate-new-token")
    assert "endpoint_token" not in await waited(tenant)


async def test_a_token_that_a_kafka_producer_made_is_told_to_nobody(tenant: Tenant, pipeline: str) -> None:
    asked = DeploymentRequested(
        name="live", pipeline_name=pipeline, execution_rule="endpoint", endpoint_token_hash="a" * 64
    )
    me = (await tenant.http.get("/users/me")).json()["id"]
    await tenant.result((await tenant.ask(asked, actor=me))[0])

    waited = (await tenant.http.get("/deployments/live", params={"wait_for_completion": "true"})).json()

    assert (waited["status"], "endpoint_token" in waited) == ("up", False)


async def test_a_low_latency_deployment_has_options_and_no_pods(tenant: Tenant, pipeline: str) -> None:
    options = {"mode": "low_latency", "enable_parallel_executions": True, "ram_request": "1GiB", "gpu_request": 1}
    body = {"name": "live", "pipeline_name": pipeline, "description": "For the shop", **options}
    assert (await tenant.http.post("/endpoints", json=body)).status_code == 201

    page = (await tenant.http.get("/deployments/live")).json()

    assert {key: page[key] for key in options} == options
    assert (page["max_parallel_executions_per_pod"], page["pods"], page["description"]) == (6, [], "For the shop")


@pytest.mark.parametrize("asked", [{}, {"from": 1_700_000_000_000, "to": 1_800_000_000_000, "limit": 5}])
async def test_what_never_ran_has_no_logs(tenant: Tenant, pipeline: str, asked: dict[str, Any]) -> None:
    await tenant.create_endpoint("live", pipeline)

    answer = await tenant.http.post("/deployments/live/logs", json=asked)

    assert (answer.status_code, answer.json()) == (200, [])
    problem(await tenant.http.post("/deployments/absent/logs", json=asked), 404, "deployment_not_found")


async def test_a_range_of_logs_that_is_none_is_refused(tenant: Tenant, pipeline: str) -> None:
    await tenant.create_endpoint("live", pipeline)

    problem(await tenant.http.post("/deployments/live/logs", json={"from": "yesterday"}), 422, "invalid_body")
    problem(await tenant.http.post("/deployments/live/logs", json={"limit": 0}), 422, "invalid_body")


async def test_a_schedule_tells_its_next_three_times(tenant: Tenant, pipeline: str) -> None:
    await tenant.schedule("nightly", pipeline, "30 6 * * *")
    before = datetime.now(UTC)

    told = (await tenant.http.get("/deployments/nightly/schedule")).json()

    times = [datetime.fromisoformat(each) for each in told.pop("next_times")]
    assert told == {"name": "nightly", "schedule": "30 6 * * *", "human_readable_schedule": "At 06:30 AM"}
    assert [(each.hour, each.minute, each.utcoffset()) for each in times] == [(6, 30, timedelta(0))] * 3
    assert before < times[0] <= before + timedelta(days=1, minutes=1)
    assert [later - earlier for earlier, later in itertools.pairwise(times)] == [timedelta(days=1)] * 2


async def test_an_endpoint_has_no_schedule(tenant: Tenant, pipeline: str) -> None:
    await tenant.create_endpoint("live", pipeline)

    told = problem(await tenant.http.get("/deployments/live/schedule"), 409, "wrong_execution_rule")

    assert told["additional_data"] == {"deployment_name": "live", "execution_rule": "endpoint"}


async def test_a_new_token_replaces_the_one_before_and_is_told_once(tenant: Tenant, pipeline: str) -> None:
    first = (await tenant.create_endpoint("live", pipeline)).json()["endpoint_token"]

    renewed = await tenant.http.post("/endpoints/live/generate-new-token")

    token = renewed.json()["endpoint_token"]
    assert (renewed.status_code, renewed.json(), token != first) == (200, {"endpoint_token": token}, True)
    assert token not in (await tenant.http.get("/deployments/live")).text
    event = (await tenant.history())[-1]
    assert name_of(event) == "EndpointTokenRenewed"
    told = data_of(event)
    assert told["before"]["endpoint_token_hash"] != told["deployment"]["endpoint_token_hash"]
    assert token not in str(told)


async def test_a_new_token_is_asked_for_once_however_often_it_is_repeated(tenant: Tenant, pipeline: str) -> None:
    await tenant.create_endpoint("live", pipeline)
    key = {"Idempotency-Key": "renew"}

    answers = [await tenant.http.post("/endpoints/live/generate-new-token", headers=key) for _ in range(2)]
    other = await tenant.http.post("/endpoints/live/generate-new-token")

    assert answers[0].json() == answers[1].json() != other.json()
    assert [name_of(each) for each in await tenant.history()].count("EndpointTokenRenewed") == 2

"""Deployments of both rules, and their mappings by the names that each version has for them."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.acceptance.contract.deployments import (
    MONDAYS,
    schedule,
)
from tests.acceptance.contract.remote import Sdk, SdkError, moment
from tests.acceptance.contract.versions import Version, versions_that

LISTED_KEYS = {"name", "pipeline_name", "execution_rule", "is_enabled", "created_at"}


async def test_an_endpoint_is_created_and_read(sdk: Sdk, pipeline: str) -> None:
    created = await sdk.create_deployment(pipeline, "live", "endpoint", description="For all who ask")
    read = await sdk.get_deployment("live")

    assert created["name"] == "live"
    assert (read["name"], read["pipeline"], read["execution_rule"]) == ("live", {"name": pipeline}, "endpoint")
    assert (read["mode"], read["description"], read["is_enabled"]) == ("elastic", "For all who ask", True)
    assert (read["last_execution_id"], read.get("schedule")) == (None, None)
    assert read["status"]
    assert read["update_status"]


@versions_that(lambda version: not version.creation_gives_whole_deployment)
async def test_the_token_of_an_endpoint_is_told_once(sdk: Sdk, pipeline: str) -> None:
    token = (await sdk.create_deployment(pipeline, "live", "endpoint"))["endpoint_token"]

    assert len(token) >= 32
    assert token not in str(await sdk.get_deployment("live"))
    assert token not in str(await sdk.list_deployments())


@versions_that(lambda version: version.creation_gives_whole_deployment)
async def test_creation_gives_the_whole_deployment_and_the_server_does_the_waiting(sdk: Sdk, pipeline: str) -> None:
    created = await sdk.create_deployment(pipeline, "live", "endpoint")

    assert sdk.requests <= 4  # the refresh, the deployment, the question that may be held, and the latest execution
    assert created["status"] == "up"
    assert created["pipeline"] == {"name": pipeline}
    assert set(created) >= set(await sdk.get_deployment("live")) - {"endpoint_token"}


async def test_a_new_token_is_another_one(sdk: Sdk, pipeline: str) -> None:
    created = await sdk.create_deployment(pipeline, "live", "endpoint")

    first = (await sdk.generate_new_endpoint_token("live"))["endpoint_token"]
    second = (await sdk.generate_new_endpoint_token("live"))["endpoint_token"]

    assert min(len(first), len(second)) >= 32
    assert len({created.get("endpoint_token"), first, second}) == 3


async def test_a_missing_endpoint_gets_no_new_token(sdk: Sdk) -> None:
    with pytest.raises(SdkError, match="'live'") as refused:
        await sdk.generate_new_endpoint_token("live")

    assert (refused.value.name, refused.value.status_code) == ("deployment_not_found", 404)


async def test_a_periodic_deployment_tells_its_schedule_in_words(sdk: Sdk, pipeline: str, version: Version) -> None:
    created = await schedule(sdk, version, pipeline)
    read = await sdk.get_deployment("nightly")

    for each in (created, read):
        assert each["schedule"] == MONDAYS
        assert each["human_readable_schedule"] == "At 03:30 AM, only on Monday"
        assert each.get("endpoint_token") is None
    assert read["execution_rule"] == "periodic"


async def test_a_schedule_that_cannot_be_read_is_refused(sdk: Sdk, pipeline: str, version: Version) -> None:
    with pytest.raises(SdkError) as refused:
        await schedule(sdk, version, pipeline, schedule="every day")

    assert (refused.value.name, refused.value.status_code) == ("invalid_schedule", 422)
    assert await sdk.list_deployments() == []


async def test_low_latency_is_kept_under_that_versions_name_for_it(sdk: Sdk, pipeline: str, version: Version) -> None:
    await sdk.create_deployment(pipeline, "live", "endpoint", **{version.mode_argument: "low_latency"})

    assert (await sdk.get_deployment("live"))["mode"] == "low_latency"


@versions_that(lambda version: version.has_parallel_executions)
async def test_parallel_executions_are_kept(sdk: Sdk, pipeline: str, version: Version) -> None:
    asked = {"enable_parallel_executions": True, "max_parallel_executions_per_pod": 3}

    await sdk.create_deployment(pipeline, "live", "endpoint", **asked, **{version.mode_argument: "low_latency"})

    assert (await sdk.get_deployment("live")).items() >= asked.items()


@versions_that(lambda version: version.has_resource_requests)
async def test_requests_for_resources_are_kept(sdk: Sdk, pipeline: str) -> None:
    asked = {"ram_request": "512MiB", "gpu_request": 1}

    await sdk.create_deployment(pipeline, "live", "endpoint", mode="low_latency", **asked)

    assert (await sdk.get_deployment("live")).items() >= asked.items()


async def test_deployments_are_listed_and_deleted(sdk: Sdk, pipeline: str, version: Version) -> None:
    await schedule(sdk, version, pipeline)
    await sdk.create_deployment(pipeline, "live", "endpoint")

    listed = await sdk.list_deployments()
    deleted = await sdk.delete_deployment("nightly")

    assert [(each["name"], each["pipeline_name"], each["execution_rule"]) for each in listed] == [
        ("live", pipeline, "endpoint"),
        ("nightly", pipeline, "periodic"),
    ]
    assert set(listed[0]) >= LISTED_KEYS
    assert deleted == {"name": "nightly", "execution_rule": "periodic"}
    with pytest.raises(SdkError) as refused:
        await sdk.get_deployment("nightly")
    assert (refused.value.name, refused.value.status_code) == ("deployment_not_found", 404)


async def test_a_missing_deployment_cannot_be_deleted(sdk: Sdk) -> None:
    with pytest.raises(SdkError, match="'live'") as refused:
        await sdk.delete_deployment("live")

    assert (refused.value.name, refused.value.status_code) == ("deployment_not_found", 404)


@pytest.mark.parametrize(
    ("pipeline_name", "name", "code", "status"),
    [("absent", "new", "pipeline_not_found", 404), ("churn", "live", "deployment_exists", 409)],
)
async def test_a_deployment_that_cannot_be_created_is_refused(
    sdk: Sdk, pipeline: str, pipeline_name: str, name: str, code: str, status: int
) -> None:
    await sdk.create_deployment(pipeline, "live", "endpoint")

    with pytest.raises(SdkError) as refused:
        await sdk.create_deployment(pipeline_name, name, "endpoint")

    assert (refused.value.name, refused.value.status_code) == (code, status)


@versions_that(lambda version: version.has_deployment_logs)
async def test_a_deployment_that_never_ran_has_no_logs(sdk: Sdk, pipeline: str) -> None:
    await sdk.create_deployment(pipeline, "live", "endpoint")
    now = datetime.now(UTC)

    assert await sdk.get_deployment_logs("live") == []
    since = {"from_datetime": moment(now - timedelta(hours=1)), "to_datetime": moment(now), "limit": 10}
    assert await sdk.get_deployment_logs("live", **since) == []

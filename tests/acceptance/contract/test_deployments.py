"""Deployments of both rules, and their mappings by the names that each version has for them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.acceptance.contract.deployments import (
    CONSTANTS,
    MONDAYS,
    by_name,
    destination,
    full_mapping,
    schedule,
    source,
)
from tests.acceptance.contract.remote import Document, Sdk, SdkError, moment, new
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


async def test_every_kind_of_source_and_destination_is_kept(sdk: Sdk, pipeline: str, version: Version) -> None:
    await sdk.create_or_update_environment_variable("PLAN", "basic")
    mapping = {
        "inputs_mapping": [
            source(version, "months", endpoint_input_name="age", is_required=False, default_value=12),
            source(version, "plan", environment_variable_name="PLAN"),
        ],
        "outputs_mapping": [destination(version, "risk", endpoint_output_name="chance")],
    }

    await sdk.create_deployment(pipeline, "live", "endpoint", **mapping)

    read = await sdk.get_deployment("live")
    inputs, outputs = (by_name(version, kind, read[f"{kind}s_mapping"]) for kind in ("input", "output"))
    assert set(inputs) == {"months", "plan"}
    assert inputs["months"]["endpoint_input_name"] == "age"
    assert (inputs["months"]["is_required"], inputs["months"]["default_value"]) == (False, 12)
    assert inputs["plan"]["environment_variable_name"] == "PLAN"
    assert outputs["risk"]["endpoint_output_name"] == "chance"


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("months", {"constant_value": 12.5}),
        ("months", {"environment_variable_name": "MONTHS"}),
        ("plan", {"is_null": True}),
    ],
)
async def test_a_schedule_takes_what_needs_nobody_who_asks(
    sdk: Sdk, pipeline: str, version: Version, name: str, given: Document
) -> None:
    await sdk.create_or_update_environment_variable("MONTHS", "12")
    others = [source(version, other, constant_value=value) for other, value in CONSTANTS.items() if other != name]

    await schedule(sdk, version, pipeline, inputs_mapping=[source(version, name, **given), *others])

    read = await sdk.get_deployment("nightly")
    assert by_name(version, "input", read["inputs_mapping"])[name].items() >= given.items()
    assert by_name(version, "output", read["outputs_mapping"])["risk"]["is_null"] is True


async def test_what_an_endpoint_does_not_map_is_asked_for_under_its_own_name(
    sdk: Sdk, pipeline: str, version: Version
) -> None:
    await sdk.create_deployment(pipeline, "live", "endpoint")

    read = await sdk.get_deployment("live")
    inputs, outputs = (by_name(version, kind, read[f"{kind}s_mapping"]) for kind in ("input", "output"))
    assert {name: each["endpoint_input_name"] for name, each in inputs.items()} == {"months": "months", "plan": "plan"}
    assert {name: each["endpoint_output_name"] for name, each in outputs.items()} == {"risk": "risk"}


@versions_that(lambda version: version.mapped_prefix == "pipeline_")
async def test_a_mapping_by_the_old_name_is_still_taken(sdk: Sdk, pipeline: str) -> None:
    mapping = [new("InputSource", step_input_name="months", constant_value=12)]

    await sdk.create_deployment(pipeline, "live", "endpoint", inputs_mapping=mapping)

    months = [each for each in (await sdk.get_deployment("live"))["inputs_mapping"] if each.get("constant_value")]
    assert [(each["pipeline_input_name"], each["constant_value"]) for each in months] == [("months", 12)]


async def test_a_mapping_of_an_unknown_input_is_refused(sdk: Sdk, pipeline: str, version: Version) -> None:
    mapping = [source(version, "weeks", constant_value=12)]

    await _refused(sdk, pipeline, "endpoint", "weeks", inputs_mapping=mapping)


async def test_a_mapping_of_an_unknown_output_is_refused(sdk: Sdk, pipeline: str, version: Version) -> None:
    await _refused(sdk, pipeline, "endpoint", "chance", outputs_mapping=[destination(version, "chance", is_null=True)])


async def test_a_constant_of_another_type_is_refused(sdk: Sdk, pipeline: str, version: Version) -> None:
    mapping = [source(version, "months", constant_value="twelve")]

    await _refused(sdk, pipeline, "endpoint", "months", inputs_mapping=mapping)


@pytest.mark.parametrize(("left_out", "culprit"), [("inputs_mapping", "months"), ("outputs_mapping", "risk")])
async def test_a_schedule_that_leaves_something_unmapped_is_refused(
    sdk: Sdk, pipeline: str, version: Version, left_out: str, culprit: str
) -> None:
    mapping = {key: value for key, value in full_mapping(version).items() if key != left_out}

    await _refused(sdk, pipeline, "periodic", culprit, schedule=MONDAYS, **mapping)


async def test_a_schedule_cannot_ask_an_endpoint(sdk: Sdk, pipeline: str, version: Version) -> None:
    mapping = full_mapping(version)
    mapping["inputs_mapping"][0] = source(version, "months", endpoint_input_name="months")

    await _refused(sdk, pipeline, "periodic", "months", schedule=MONDAYS, **mapping)


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
    asked = {"ram_request": "2G", "gpu_request": 1}

    await sdk.create_deployment(pipeline, "live", "endpoint", **asked)

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


async def _refused(sdk: Sdk, pipeline: str, rule: str, culprit: str, **options: Any) -> None:
    """Demand that a deployment is refused for a mapping, that the culprit is named, and that nothing is left."""
    with pytest.raises(SdkError, match=culprit) as refused:
        await sdk.create_deployment(pipeline, "live", rule, **options)

    assert refused.value.status_code in {409, 422}
    assert await sdk.list_deployments() == []

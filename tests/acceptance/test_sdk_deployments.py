"""Deployments of both rules with every kind of mapping, and what they name, by the unmodified craft-ai-sdk 0.43.4."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from craft_ai_sdk import CraftAiSdk, InputSource, OutputDestination, SdkException

from tests.acceptance.doors import in_thread, open_sdk
from tests.acceptance.stack import Stack
from tests.acceptance.tenant import Tenant


@pytest.fixture
async def sdk(stack: Stack, tenant: Tenant) -> AsyncIterator[CraftAiSdk]:
    async with open_sdk(stack.url, tenant.member.sdk_token) as opened:
        yield opened


INPUTS = [
    {"name": "months", "data_type": "number", "is_required": True},
    {"name": "plan", "data_type": "string"},
    {"name": "strict", "data_type": "boolean"},
    {"name": "weights", "data_type": "json"},
    {"name": "photo", "data_type": "file"},
]
OUTPUTS = [
    {"name": "risk", "data_type": "number"},
    {"name": "why", "data_type": "json"},
    {"name": "report", "data_type": "file"},
]


@pytest.fixture
async def wide(tenant: Tenant) -> str:
    """The name of a pipeline whose inputs and outputs can be mapped in every way."""
    body = tenant.step_body("wide", inputs=INPUTS, outputs=OUTPUTS, function_name="predict_widely")
    assert (await tenant.http.post("/steps", json=body)).status_code == 206
    built = await tenant.http.get("/steps/wide", params={"wait_for_completion": True})
    assert built.json()["creation_info"]["status"] == "Ready", built.text
    assert (await tenant.create_pipeline("wide", "wide")).status_code == 201
    return "wide"


async def test_an_endpoint_with_every_kind_of_mapping(sdk: CraftAiSdk, wide: str) -> None:
    await in_thread(sdk.create_or_update_environment_variable, "PLAN", "gold")

    await in_thread(
        sdk.create_deployment,
        wide,
        "live",
        "endpoint",
        inputs_mapping=[
            InputSource("months", endpoint_input_name="m", is_required=True, default_value=12),
            InputSource("plan", environment_variable_name="PLAN"),
            InputSource("strict", constant_value=False),
            InputSource("weights", is_null=True),
            InputSource("photo", datastore_path="photos/one.png"),
        ],
        outputs_mapping=[
            OutputDestination("risk", endpoint_output_name="r"),
            OutputDestination("why", is_null=True),
            OutputDestination("report", datastore_path="reports/{execution_id}.pdf"),
        ],
        description="For the shop",
    )

    page = await in_thread(sdk.get_deployment, "live")
    assert page["description"] == "For the shop"
    assert [_source(each) for each in page["inputs_mapping"]] == [
        ("months", {"endpoint_input_name": "m", "is_required": True, "default_value": 12}),
        ("plan", {"environment_variable_name": "PLAN"}),
        ("strict", {"constant_value": False}),
        ("weights", {"is_null": True}),
        ("photo", {"datastore_path": "photos/one.png"}),
    ]
    assert [_destination(each) for each in page["outputs_mapping"]] == [
        ("risk", {"endpoint_output_name": "r"}),
        ("why", {"is_null": True}),
        ("report", {"datastore_path": "reports/{execution_id}.pdf"}),
    ]


async def test_a_periodic_deployment_with_every_kind_of_mapping(sdk: CraftAiSdk, wide: str) -> None:
    await in_thread(sdk.create_or_update_environment_variable, "PLAN", "gold")

    created = await in_thread(
        sdk.create_deployment,
        wide,
        "nightly",
        "periodic",
        mode="low_latency",
        schedule="*/15 3 * * 1-5",
        inputs_mapping=[
            InputSource("months", constant_value=3),
            InputSource("plan", environment_variable_name="PLAN"),
            InputSource("strict", is_null=True),
            InputSource("weights", constant_value={"age": [1, 2.5]}),
            InputSource("photo", datastore_path="photos/one.png"),
        ],
        outputs_mapping=[
            OutputDestination("risk", is_null=True),
            OutputDestination("why", is_null=True),
            OutputDestination("report", datastore_path="reports/{date}.pdf"),
        ],
    )

    assert created["human_readable_schedule"] == (
        "Every 15 minutes, between 03:00 AM and 03:59 AM, Monday through Friday"
    )
    page = await in_thread(sdk.get_deployment, "nightly")
    assert (page["mode"], page["pods"], page["execution_rule"]) == ("low_latency", [], "periodic")
    assert _source(page["inputs_mapping"][3]) == ("weights", {"constant_value": {"age": [1, 2.5]}})


async def test_a_mapping_that_does_not_fit_is_an_exception_that_names_it(sdk: CraftAiSdk, wide: str) -> None:
    with pytest.raises(SdkException) as refused:
        await in_thread(
            sdk.create_deployment, wide, "live", "endpoint", inputs_mapping=[InputSource("age", is_null=True)]
        )

    assert (refused.value.name, refused.value.status_code) == ("unknown_mapping", 422)
    assert refused.value.additional_data["input_name"] == "age"


async def test_environment_variables_are_set_listed_and_deleted(sdk: CraftAiSdk) -> None:
    assert await in_thread(sdk.create_or_update_environment_variable, "KEY", "one") is None
    assert await in_thread(sdk.create_or_update_environment_variable, "KEY", "two") is None

    assert await in_thread(sdk.list_environment_variables) == [{"name": "KEY", "value": "two"}]
    assert await in_thread(sdk.delete_environment_variable, "KEY") == {"name": "KEY", "value": "two"}
    assert await in_thread(sdk.list_environment_variables) == []
    with pytest.raises(SdkException) as refused:
        await in_thread(sdk.delete_environment_variable, "KEY")
    assert refused.value.name == "environment_variable_not_found"


async def test_a_token_is_renewed_and_logs_are_empty(sdk: CraftAiSdk, pipeline: str) -> None:
    created = await in_thread(sdk.create_deployment, pipeline, "live", "endpoint")

    renewed = await in_thread(sdk.generate_new_endpoint_token, "live")
    logs = await in_thread(sdk.get_deployment_logs, "live", from_datetime=datetime(2026, 1, 1, tzinfo=UTC), limit=10)

    assert len(renewed["endpoint_token"]) >= 32
    assert renewed["endpoint_token"] != created["endpoint_token"]
    assert logs == []


def _source(mapping: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    assert mapping["step_input_name"] == mapping["pipeline_input_name"]
    kept = mapping.keys() - {"step_input_name", "pipeline_input_name", "data_type", "description"}
    return mapping["step_input_name"], {key: mapping[key] for key in kept}


def _destination(mapping: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    assert mapping["step_output_name"] == mapping["pipeline_output_name"]
    kept = mapping.keys() - {"step_output_name", "pipeline_output_name", "data_type", "description"}
    return mapping["step_output_name"], {key: mapping[key] for key in kept}

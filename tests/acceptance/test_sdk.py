"""What the page needs around it, by the unmodified craft-ai-sdk 0.43.4: steps, deployments, users and refusals."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from craft_ai_sdk import CraftAiSdk, Input, InputSource, Output, OutputDestination, SdkException

from tests.acceptance.doors import in_thread, open_sdk
from tests.acceptance.sources import FUNCTION_PATH
from tests.acceptance.stack import Stack
from tests.acceptance.tenant import Tenant

ALL_MAPPED: dict[str, Any] = {
    "inputs_mapping": [InputSource("months", constant_value=3), InputSource("plan", is_null=True)],
    "outputs_mapping": [OutputDestination("risk", is_null=True)],
}
SDK_INPUTS = [
    Input("months", "number", description="As a customer", is_required=True, default_value=3.5),
    Input("plan", "string", default_value="basic"),
    Input("strict", "boolean", is_required=False, default_value=False),
    Input("weights", "json", default_value={"ages": ["young", "old"]}),
]


@pytest.fixture
async def sdk(stack: Stack, tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[CraftAiSdk]:
    # It looks again every 10 s whether a step is built, which no test needs to wait for.
    monkeypatch.setattr("craft_ai_sdk.core.steps.CREATION_REQUESTS_RETRY_INTERVAL", 0.05)
    async with open_sdk(stack.url, tenant.member.sdk_token) as opened:
        yield opened


async def create_step(sdk: CraftAiSdk, tenant: Tenant, **changes: Any) -> Any:
    asked: dict[str, Any] = {
        "step_name": "train",
        "function_path": FUNCTION_PATH,
        "function_name": "predict",
        "description": "Tells who leaves",
        "container_config": {"repository_url": str(tenant.repository), "included_folders": ["src"]},
        "inputs": SDK_INPUTS,
        "outputs": [Output("risk", "number", description="From 0 to 1")],
    }
    return await in_thread(sdk.create_step, **(asked | changes))


async def test_create_step_returns_the_step_once_it_is_ready(sdk: CraftAiSdk, tenant: Tenant) -> None:
    step = await create_step(sdk, tenant)

    assert step["creation_info"]["status"] == "Ready"
    assert step["creation_info"]["origin"] == "git_repository"
    assert len(step["creation_info"]["commit_id"]) == 40
    assert step == await in_thread(sdk.get_step, "train")


async def test_a_form_gives_every_value_its_type_back(sdk: CraftAiSdk, tenant: Tenant) -> None:
    parameters = (await create_step(sdk, tenant))["parameters"]

    # The SDK sends this as a form, in which everything is text.
    assert [(each["name"], each["is_required"], each["default_value"]) for each in parameters["inputs"]] == [
        ("months", True, 3.5),
        ("plan", False, "basic"),
        ("strict", False, False),
        ("weights", False, {"ages": ["young", "old"]}),
    ]
    assert parameters["outputs"] == [{"name": "risk", "data_type": "number", "description": "From 0 to 1"}]
    assert parameters["description"] == "Tells who leaves"
    assert parameters["container_config"] == {"repository_url": str(tenant.repository), "included_folders": ["src"]}


async def test_a_step_that_cannot_be_built_fails_and_its_name_may_be_used_again(
    sdk: CraftAiSdk, tenant: Tenant
) -> None:
    with pytest.raises(SdkException, match='creation of step "train" has failed') as failed:
        await create_step(sdk, tenant, function_name="absent")
    assert failed.value.name == "UnexpectedError"

    step = await create_step(sdk, tenant)

    assert step["creation_info"]["status"] == "Ready"


async def test_steps_are_listed_and_deleted(sdk: CraftAiSdk, tenant: Tenant) -> None:
    await create_step(sdk, tenant)
    await create_step(sdk, tenant, step_name="again")

    listed = await in_thread(sdk.list_steps)
    deleted = await in_thread(sdk.delete_step, "train")

    assert [(each["step_name"], each["status"]) for each in listed] == [("again", "Ready"), ("train", "Ready")]
    assert {"created_at", "updated_at", "repository_branch", "repository_url", "commit_id", "origin"} <= set(listed[0])
    assert deleted == {"step_name": "train"}
    assert await in_thread(sdk.get_step, "train") is None


async def test_a_step_that_a_pipeline_uses_goes_only_with_it(sdk: CraftAiSdk, pipeline: str) -> None:
    with pytest.raises(SdkException, match=f"'{pipeline}'") as refused:
        await in_thread(sdk.delete_step, "train")
    assert (refused.value.name, refused.value.status_code) == ("step_in_use", 409)

    await in_thread(sdk.delete_step, "train", force_dependents_deletion=True)

    assert await in_thread(sdk.get_pipeline, pipeline) is None


async def test_an_endpoint_is_created_with_a_token_that_is_told_once(sdk: CraftAiSdk, pipeline: str) -> None:
    created = await in_thread(sdk.create_deployment, pipeline, "live", "endpoint")
    read = await in_thread(sdk.get_deployment, "live")

    assert created["name"] == "live"
    assert len(created["endpoint_token"]) >= 32
    assert "endpoint_token" not in read
    assert created["endpoint_token"] not in str(read)
    assert (read["pipeline"], read["execution_rule"], read["mode"]) == ({"name": pipeline}, "endpoint", "elastic")
    assert (read["last_execution_id"], read["is_enabled"], read["schedule"]) == (None, True, None)


async def test_a_periodic_deployment_tells_its_schedule_in_words(sdk: CraftAiSdk, pipeline: str) -> None:
    created = await in_thread(
        sdk.create_deployment, pipeline, "nightly", "periodic", schedule="30 3 * * 1", **ALL_MAPPED
    )

    assert created["schedule"] == "30 3 * * 1"
    assert created["human_readable_schedule"] == "At 03:30 AM, only on Monday"
    assert "endpoint_token" not in created


async def test_deployments_are_listed_and_deleted(sdk: CraftAiSdk, pipeline: str) -> None:
    await in_thread(sdk.create_deployment, pipeline, "nightly", "periodic", schedule="30 3 * * 1", **ALL_MAPPED)
    await in_thread(sdk.create_deployment, pipeline, "live", "endpoint")

    listed = await in_thread(sdk.list_deployments)
    deleted = await in_thread(sdk.delete_deployment, "nightly")

    assert [(each["name"], each["pipeline_name"], each["execution_rule"]) for each in listed] == [
        ("live", pipeline, "endpoint"),
        ("nightly", pipeline, "periodic"),
    ]
    assert deleted == {"name": "nightly", "execution_rule": "periodic"}
    with pytest.raises(SdkException) as refused:
        await in_thread(sdk.get_deployment, "nightly")
    assert (refused.value.name, refused.value.status_code) == ("deployment_not_found", 404)


async def test_a_refusal_is_an_exception_with_all_that_the_sdk_reads(sdk: CraftAiSdk, pipeline: str) -> None:
    with pytest.raises(SdkException) as refused:
        await in_thread(sdk.create_pipeline, pipeline, "train")

    error = refused.value
    assert (error.name, error.status_code) == ("pipeline_exists", 409)
    assert error.message.startswith(f"There is a pipeline '{pipeline}' already.")
    assert error.additional_data["pipeline_name"] == pipeline
    assert error.request_id
    assert str(error).startswith("[pipeline_exists] There is a pipeline")


async def test_an_unknown_sdk_token_is_told_on_the_first_call(stack: Stack) -> None:
    async with open_sdk(stack.url, "no-token-of-anybody") as stranger:
        with pytest.raises(SdkException) as refused:
            await in_thread(stranger.list_pipelines)

    assert (refused.value.name, refused.value.status_code) == ("invalid_token", 401)


async def test_a_user_can_be_asked_for(sdk: CraftAiSdk) -> None:
    me = await in_thread(sdk.who_am_i)

    assert set(me) == {"id", "name", "email"}
    assert await in_thread(sdk.get_user, me["id"]) == me

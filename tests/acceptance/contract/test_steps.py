"""Steps from a git repository: asked for as JSON up to 0.42 and as a form later, awaited in each version's way."""

import asyncio

import pytest

from tests.acceptance.contract.remote import Sdk, SdkError, constant
from tests.acceptance.contract.steps import create_step
from tests.acceptance.contract.versions import Version, versions_that
from tests.acceptance.stack import Stack
from tests.acceptance.tenant import Tenant
from tests.support.services import eventually

PAUSE_S = 1.0


async def test_create_step_returns_the_step_once_it_is_ready(sdk: Sdk, tenant: Tenant, version: Version) -> None:
    step = await create_step(sdk, tenant)

    assert step["creation_info"]["status"] == version.ready
    assert step["creation_info"]["origin"] == "git_repository"
    assert len(step["creation_info"]["commit_id"]) == 40
    assert step == await sdk.get_step("train")


async def test_every_value_comes_back_with_its_type_whichever_way_it_was_sent(sdk: Sdk, tenant: Tenant) -> None:
    parameters = (await create_step(sdk, tenant))["parameters"]

    assert [(each["name"], each["is_required"], each["default_value"]) for each in parameters["inputs"]] == [
        ("months", True, 3.5),
        ("plan", False, "basic"),
        ("strict", False, False),
        ("weights", False, {"ages": ["young", "old"]}),
    ]
    assert parameters["outputs"] == [{"name": "risk", "data_type": "number", "description": "From 0 to 1"}]
    assert parameters["description"] == "Tells who leaves"
    assert parameters["container_config"] == {"repository_url": str(tenant.repository), "included_folders": ["src"]}


async def test_a_step_needs_neither_inputs_nor_outputs_nor_a_description(sdk: Sdk, tenant: Tenant) -> None:
    step = await create_step(sdk, tenant, function_name="constant", description=None, inputs=[], outputs=None)

    assert [step["parameters"][key] for key in ("description", "inputs", "outputs")] == [None, [], []]


async def test_a_part_of_the_configuration_can_be_set_to_nothing(sdk: Sdk, tenant: Tenant, version: Version) -> None:
    configuration = {"repository_url": str(tenant.repository), "requirements_path": constant(*version.null)}

    step = await create_step(sdk, tenant, container_config=configuration)

    assert step["creation_info"]["status"] == version.ready
    assert step["parameters"]["container_config"].get("requirements_path") is None


async def test_create_step_waits_while_the_builder_is_at_it(
    sdk: Sdk, tenant: Tenant, stack: Stack, version: Version
) -> None:
    with stack.paused("builder"):
        creating = asyncio.create_task(create_step(sdk, tenant))
        await eventually(lambda: _is_listed(tenant))
        await asyncio.wait([creating], timeout=PAUSE_S)
        waited = not creating.done()
    step = await creating

    assert waited
    assert step["creation_info"]["status"] == version.ready


@versions_that(lambda version: version.leaves_waiting_to_server)
async def test_the_server_holds_the_request_of_a_client_that_would_ask_without_a_pause(
    sdk: Sdk, tenant: Tenant, stack: Stack
) -> None:
    with stack.paused("builder"):
        creating = asyncio.create_task(create_step(sdk, tenant))
        await asyncio.wait([creating], timeout=PAUSE_S)
    await creating

    assert sdk.requests <= 4  # the refresh, the step, and the question that was held


async def test_a_step_that_cannot_be_built_fails_and_its_name_may_be_used_again(
    sdk: Sdk, tenant: Tenant, version: Version
) -> None:
    name, message = version.build_failure

    with pytest.raises(SdkError, match=message) as failed:
        await create_step(sdk, tenant, function_name="absent")
    assert failed.value.name == name

    step = await create_step(sdk, tenant)

    assert step["creation_info"]["status"] == version.ready


@versions_that(lambda version: version.absent_step_is_none)
async def test_get_step_gives_none_where_there_is_no_step(sdk: Sdk) -> None:
    assert await sdk.get_step("train") is None


@versions_that(lambda version: version.absent_step_is_none)
async def test_a_failed_step_is_absent_for_a_version_that_knows_no_failed_step(sdk: Sdk, tenant: Tenant) -> None:
    with pytest.raises(SdkError):
        await create_step(sdk, tenant, function_name="absent")

    assert await sdk.get_step("train") is None


@versions_that(lambda version: not version.absent_step_is_none)
async def test_get_step_is_refused_where_there_is_no_step(sdk: Sdk) -> None:
    with pytest.raises(SdkError) as refused:
        await sdk.get_step("train")

    assert (refused.value.name, refused.value.status_code) == ("step_not_found", 404)


@versions_that(lambda version: not version.absent_step_is_none)
async def test_a_failed_step_is_told_as_failed_to_a_version_that_knows_it(sdk: Sdk, tenant: Tenant) -> None:
    with pytest.raises(SdkError):
        await create_step(sdk, tenant, function_name="absent")

    assert (await sdk.get_step("train"))["creation_info"]["status"] == "creation_failed"


async def test_steps_are_listed_and_deleted(sdk: Sdk, tenant: Tenant, version: Version) -> None:
    await create_step(sdk, tenant)
    await create_step(sdk, tenant, step_name="again")

    listed = await sdk.list_steps()
    deleted = await sdk.delete_step("train")

    ready = version.ready
    assert [(each["step_name"], each["status"]) for each in listed] == [("again", ready), ("train", ready)]
    assert {"created_at", "updated_at", "repository_branch", "repository_url", "commit_id", "origin"} <= set(listed[0])
    assert deleted == {"step_name": "train"}
    assert [each["step_name"] for each in await sdk.list_steps()] == ["again"]


async def test_a_step_of_that_name_is_not_made_twice(sdk: Sdk, tenant: Tenant) -> None:
    await create_step(sdk, tenant)

    with pytest.raises(SdkError, match="'train'") as refused:
        await create_step(sdk, tenant)

    assert (refused.value.name, refused.value.status_code) == ("step_exists", 409)


async def test_a_step_that_a_pipeline_uses_goes_only_with_it(sdk: Sdk, tenant: Tenant, pipeline: str) -> None:
    await tenant.create_endpoint("live", pipeline)

    with pytest.raises(SdkError, match=f"'{pipeline}'") as refused:
        await sdk.delete_step("train", force_dependents_deletion=False)
    assert (refused.value.name, refused.value.status_code) == ("step_in_use", 409)
    assert await sdk.get_pipeline(pipeline) is not None

    assert await sdk.delete_step("train", force_dependents_deletion=True) == {"step_name": "train"}

    assert [await sdk.list_steps(), await sdk.list_pipelines(), await sdk.list_deployments()] == [[], [], []]


@pytest.mark.parametrize("force", [False, True])
async def test_a_missing_step_cannot_be_deleted(sdk: Sdk, force: bool) -> None:
    with pytest.raises(SdkError, match="'train'") as refused:
        await sdk.delete_step("train", force_dependents_deletion=force)

    assert (refused.value.name, refused.value.status_code) == ("step_not_found", 404)


@versions_that(lambda version: version.has_build_logs)
async def test_the_logs_of_a_build_are_a_list(sdk: Sdk, tenant: Tenant) -> None:
    await create_step(sdk, tenant)

    assert isinstance(await sdk.get_step_logs("train", limit=10), list)


@versions_that(lambda version: version.has_update_step)
async def test_update_step_builds_the_step_anew(sdk: Sdk, tenant: Tenant, version: Version) -> None:
    await create_step(sdk, tenant, function_name="constant", inputs=[], outputs=[])
    configuration = {"repository_url": str(tenant.repository), "included_folders": ["src"]}

    await sdk.update_step("train", description="Says the same", container_config=configuration)

    async def is_ready() -> bool:
        return bool((await sdk.get_step("train"))["creation_info"]["status"] == version.ready)

    await eventually(is_ready)
    parameters = (await sdk.get_step("train"))["parameters"]
    assert parameters["description"] == "Says the same"
    assert parameters["container_config"]["included_folders"] == ["src"]


@versions_that(lambda version: version.has_update_step)
async def test_a_missing_step_cannot_be_updated(sdk: Sdk) -> None:
    with pytest.raises(SdkError, match="'train'") as refused:
        await sdk.update_step("train", description="Says the same")

    assert (refused.value.name, refused.value.status_code) == ("step_not_found", 404)


async def _is_listed(tenant: Tenant) -> bool:
    return await tenant.names("/steps", "step_name") == ["train"]

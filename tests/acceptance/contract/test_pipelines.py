"""What the versions say of the page's four functions, beside what all clients share (test_the_page.py)."""

import pytest

from tests.acceptance.contract.remote import Sdk, SdkError
from tests.acceptance.contract.versions import Version, versions_that
from tests.acceptance.sources import FUNCTION_PATH
from tests.acceptance.tenant import Tenant

CREATED_KEYS = {"pipeline_name", "created_at"}


async def test_a_pipeline_is_created_and_read_with_the_keys_that_the_version_documents(
    sdk: Sdk, step: str, version: Version
) -> None:
    created = await sdk.create_pipeline(pipeline_name="churn", step_name=step)
    read = await sdk.get_pipeline(pipeline_name="churn")

    for pipeline in (created, read):
        assert CREATED_KEYS | {version.inputs, version.outputs} <= set(pipeline)
        assert [each["input_name"] for each in pipeline[version.inputs]] == ["months", "plan"]
        assert [each["output_name"] for each in pipeline[version.outputs]] == ["risk"]
    assert {"created_by", "last_execution_id"} <= set(read)


async def test_the_step_may_be_named_by_position_in_every_version(sdk: Sdk, step: str, version: Version) -> None:
    await sdk.create_pipeline("churn", step)

    assert (
        any("step name as a positional argument" in each for each in sdk.warnings) == version.warns_of_positional_step
    )
    assert (await sdk.get_pipeline("churn"))["pipeline_name"] == "churn"


async def test_a_pipeline_that_never_ran_has_no_last_execution(sdk: Sdk, pipeline: str) -> None:
    read = await sdk.get_pipeline(pipeline)

    assert read["last_execution_id"] is None
    assert sdk.requests == 3  # the refresh, the pipeline, and its latest execution


async def test_a_refusal_is_an_exception_with_all_that_the_sdk_reads(sdk: Sdk, pipeline: str) -> None:
    with pytest.raises(SdkError) as refused:
        await sdk.create_pipeline(pipeline, "train")

    error = refused.value
    assert (error.type, error.name, error.status_code) == ("SdkException", "pipeline_exists", 409)
    assert error.message.startswith(f"There is a pipeline '{pipeline}' already.")
    assert error.additional_data["pipeline_name"] == pipeline
    assert error.request_id
    assert str(error).startswith("[pipeline_exists] There is a pipeline")


@versions_that(lambda version: version.has_build_logs)
async def test_the_logs_of_a_pipelines_creation_are_a_list(sdk: Sdk, pipeline: str) -> None:
    assert isinstance(await sdk.get_pipeline_logs(pipeline, limit=10), list)


@versions_that(lambda version: version.warns_of_positional_step)
async def test_a_pipeline_without_a_step_is_refused_with_what_to_do_instead(sdk: Sdk, tenant: Tenant) -> None:
    code = {"function_path": FUNCTION_PATH, "function_name": "predict"}

    with pytest.raises(SdkError, match="Create the step first") as refused:
        await sdk.create_pipeline("churn", **code, container_config={"repository_url": str(tenant.repository)})

    assert (refused.value.name, refused.value.status_code) == ("stepless_pipeline", 422)

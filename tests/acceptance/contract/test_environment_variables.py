"""Environment variables: set by name up to 0.38 and as an object later, always listed and deleted alike."""

import pytest

from tests.acceptance.contract.remote import Driver, Sdk, SdkError, open_sdk
from tests.acceptance.stack import Stack
from tests.acceptance.tenant import NewTenant


async def test_a_variable_is_set_listed_and_deleted(sdk: Sdk) -> None:
    assert await sdk.create_or_update_environment_variable("PLAN", "basic") is None

    assert await sdk.list_environment_variables() == [{"name": "PLAN", "value": "basic"}]
    assert await sdk.delete_environment_variable("PLAN") == {"name": "PLAN", "value": "basic"}
    assert await sdk.list_environment_variables() == []


async def test_a_variable_that_is_set_again_has_the_new_value(sdk: Sdk) -> None:
    await sdk.create_or_update_environment_variable("PLAN", "basic")
    await sdk.create_or_update_environment_variable("REGION", "north")
    await sdk.create_or_update_environment_variable("PLAN", "premium")

    listed = await sdk.list_environment_variables()

    assert sorted((each["name"], each["value"]) for each in listed) == [("PLAN", "premium"), ("REGION", "north")]


@pytest.mark.parametrize("value", ["", "a&b=c+d%20é\n", "True", "12", '{"a": [1]}', "x" * 5000])
async def test_a_value_is_text_and_comes_back_as_it_was(sdk: Sdk, value: str) -> None:
    await sdk.create_or_update_environment_variable("ODD", value)

    assert await sdk.list_environment_variables() == [{"name": "ODD", "value": value}]


async def test_a_missing_variable_cannot_be_deleted(sdk: Sdk) -> None:
    with pytest.raises(SdkError, match="PLAN") as refused:
        await sdk.delete_environment_variable("PLAN")

    assert refused.value.status_code == 404
    assert refused.value.name is not None
    assert refused.value.name.endswith("_not_found")


async def test_another_environment_does_not_see_it(
    sdk: Sdk, driver: Driver, stack: Stack, new_tenant: NewTenant
) -> None:
    await sdk.create_or_update_environment_variable("PLAN", "basic")

    stranger = await new_tenant()
    async with open_sdk(driver, stack.url, stranger.member.sdk_token) as other:
        assert await other.list_environment_variables() == []

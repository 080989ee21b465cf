"""Who asks: users, and SDK tokens that are unknown, revoked, or whose access token has expired."""

import time
from uuid import uuid4

import pytest

from services.admin.control import list_tokens, revoke_token
from services.kit.postgres import connect
from tests.acceptance.contract.remote import Driver, Sdk, SdkError, open_sdk
from tests.acceptance.contract.versions import Version
from tests.acceptance.stack import Stack
from tests.acceptance.tenant import Tenant
from tests.acceptance.tokens import expired_token

USER_KEYS = {"id", "name", "email"}
A_DAY_S = 86_400


async def test_a_user_is_told_who_it_is(sdk: Sdk, tenant: Tenant, version: Version) -> None:
    me = await sdk.who_am_i()

    known = (await tenant.http.get("/users/me")).json()
    assert {key: me[key] for key in USER_KEYS} == {key: known[key] for key in USER_KEYS}
    assert set(me) == (USER_KEYS if version.filters_user else set(known))


async def test_a_user_can_be_asked_for(sdk: Sdk) -> None:
    me = await sdk.who_am_i()

    assert await sdk.get_user(me["id"]) == {key: me[key] for key in USER_KEYS}


async def test_a_user_that_nobody_is_is_not_found(sdk: Sdk) -> None:
    with pytest.raises(SdkError) as refused:
        await sdk.get_user(str(uuid4()))

    assert (refused.value.name, refused.value.status_code) == ("user_not_found", 404)


@pytest.mark.parametrize("sdk_token", ["no-token-of-anybody", "a.b.c", "é"])
async def test_an_unknown_sdk_token_is_told_on_the_first_call(driver: Driver, stack: Stack, sdk_token: str) -> None:
    async with open_sdk(driver, stack.url, sdk_token) as stranger:
        with pytest.raises(SdkError) as refused:
            await stranger.list_pipelines()

    assert (refused.value.type, refused.value.name, refused.value.status_code) == ("SdkException", "invalid_token", 401)


async def test_a_revoked_sdk_token_opens_nothing_any_more(driver: Driver, stack: Stack, tenant: Tenant) -> None:
    await _revoke(stack, tenant)

    async with open_sdk(driver, stack.url, tenant.member.sdk_token) as revoked:
        with pytest.raises(SdkError) as refused:
            await revoked.who_am_i()

    assert (refused.value.name, refused.value.status_code) == ("invalid_token", 401)


async def test_who_was_let_in_before_the_revocation_stays_until_the_access_token_ends(
    sdk: Sdk, stack: Stack, tenant: Tenant
) -> None:
    assert await sdk.list_pipelines() == []

    await _revoke(stack, tenant)

    assert await sdk.list_pipelines() == []
    await sdk.believe(expired_token(stack, tenant), time.time() + A_DAY_S)
    for name in ("expired_token", "invalid_token"):
        with pytest.raises(SdkError) as refused:
            await sdk.list_pipelines()
        assert (refused.value.name, refused.value.status_code) == (name, 401)


@pytest.mark.parametrize("is_expired", [True, False])
async def test_after_an_access_token_that_is_refused_the_next_call_gets_a_new_one(
    sdk: Sdk, stack: Stack, tenant: Tenant, is_expired: bool
) -> None:
    refused_token = expired_token(stack, tenant) if is_expired else "a.b.c"
    await sdk.believe(refused_token, time.time() + A_DAY_S)

    with pytest.raises(SdkError) as refused:
        await sdk.list_pipelines()

    assert (refused.value.name, refused.value.status_code) == ("expired_token" if is_expired else "invalid_token", 401)
    assert await sdk.list_pipelines() == []


async def test_an_access_token_lasts_for_more_than_one_call(sdk: Sdk) -> None:
    await sdk.list_pipelines()
    first = sdk.requests
    await sdk.list_pipelines()

    assert (first, sdk.requests) == (2, 1)  # the first of two is the refresh


async def _revoke(stack: Stack, tenant: Tenant) -> None:
    """Revoke the tokens of the tenant's environment, as `pipeloom admin` does."""
    connection = await connect(stack.postgres)
    try:
        for token in await list_tokens(connection, tenant.environment):
            await revoke_token(connection, token["id"])
    finally:
        await connection.close()

"""Each test of the contract, with each of the chosen versions of craft-ai-sdk."""

from collections.abc import AsyncIterator

import pytest

from tests.acceptance.conftest import DriverOf
from tests.acceptance.contract.remote import Driver, Sdk, open_sdk
from tests.acceptance.contract.versions import Version, chosen_versions
from tests.acceptance.stack import Stack
from tests.acceptance.tenant import Tenant


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests of what a version does not have."""
    left_out = [item for item in items if not _is_for_its_version(item)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]


def _is_for_its_version(item: pytest.Item) -> bool:
    marker = item.get_closest_marker("for_versions")
    if marker is None:
        return True
    assert isinstance(item, pytest.Function)
    return bool(marker.args[0](item.callspec.params["version"]))


@pytest.fixture(scope="session", params=chosen_versions(), ids=str)
def version(request: pytest.FixtureRequest) -> Version:
    """The version that a test runs with."""
    assert isinstance(request.param, Version)
    return request.param


@pytest.fixture
async def driver(driver_of: DriverOf, version: Version) -> Driver:
    """The process that the version runs in."""
    return await driver_of(version)


@pytest.fixture
async def sdk(driver: Driver, stack: Stack, tenant: Tenant) -> AsyncIterator[Sdk]:
    """The test's user with an unmodified craft-ai-sdk."""
    async with open_sdk(driver, stack.url, tenant.member.sdk_token) as opened:
        yield opened

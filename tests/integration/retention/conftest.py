"""Retention on a database of its own."""

from collections.abc import AsyncIterator

import pytest_asyncio

from services.kit.settings import Settings
from tests.integration.retention.world import Retention, open_retention


@pytest_asyncio.fixture
async def retention(installation: Settings) -> AsyncIterator[Retention]:
    async with open_retention(installation) as opened:
        yield opened

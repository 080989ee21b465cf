"""What every test may use: real servers, shared by the session, and an installation of its own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.kit.settings import Settings
from tests.support.installation import Log, new_installation, open_log
from tests.support.servers import Servers, open_servers


@pytest.fixture(scope="session")
async def servers(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Servers]:
    """Kafka and Postgres, one of each for the whole session."""
    async with open_servers(tmp_path_factory.mktemp("servers")) as found:
        yield found


@pytest.fixture
async def installation(servers: Servers, tmp_path: Path) -> Settings:
    """A prepared installation (database, topics, signing key) that no other test uses; nothing runs on it yet."""
    return await new_installation(servers, tmp_path)


@pytest.fixture
async def log(installation: Settings) -> AsyncIterator[Log]:
    """A plain Kafka client on the installation's topics."""
    async with open_log(installation.kafka) as found:
        yield found

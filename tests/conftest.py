"""What every test may use: real servers, shared by the session, and an installation of its own."""

import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pipeloom.local.environment import KAFKA_SETTING, POSTGRES_SETTING, configured, settle_environment
from services.kit.settings import Settings
from tests.support.consumers import Consumers
from tests.support.installation import Log, new_installation, open_log
from tests.support.servers import Servers, open_servers

# A shell that runs the tests in the background has them ignore Ctrl-C, and so would all programs that they start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# A terminal in which the env file of `pipeloom up` was loaded names servers that are not meant for tests.
settle_environment()


def pytest_report_header() -> list[str]:
    """Say which servers the tests use."""
    both = configured(KAFKA_SETTING) and configured(POSTGRES_SETTING)
    return [f"servers: {'configured ones' if both else 'containers or embedded ones of their own'}"]


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


@pytest.fixture(scope="session")
def consumers(tmp_path_factory: pytest.TempPathFactory) -> Consumers:
    """What runs the example consumers."""
    return Consumers(tmp_path_factory.mktemp("consumers"))

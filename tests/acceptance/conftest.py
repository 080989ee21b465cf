"""One product for all acceptance tests, and an environment of its own for each."""

import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import pytest

from events.topics import COMMANDS_TOPIC, EVENTS_TOPIC
from tests.acceptance.clients import CLIENTS, Ask, asking, close
from tests.acceptance.contract.environments import NotInstalled, interpreter
from tests.acceptance.contract.remote import Driver
from tests.acceptance.contract.versions import Version, chosen_versions
from tests.acceptance.doors import OWN_DOORS, Door, sdk_door
from tests.acceptance.feed import open_feed
from tests.acceptance.program import Pipeloom, pipeloom_at
from tests.acceptance.sources import make_repository
from tests.acceptance.stack import Stack, open_stack
from tests.acceptance.tenant import Kafka, NewTenant, Tenant, open_tenant
from tests.support.installation import open_log
from tests.support.servers import Servers

DriverOf = Callable[[Version], Awaitable[Driver]]


def _door_name(door: str | Version) -> str:
    return f"craft-ai-sdk-{door}" if isinstance(door, Version) else door


@pytest.fixture(scope="session")
async def stack(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """`pipeloom up`; that it ends as it should is tested when the session ends."""
    async with open_stack(servers, tmp_path_factory.mktemp("stack")) as running:
        yield running


@pytest.fixture(scope="session")
async def kafka(stack: Stack) -> AsyncIterator[Kafka]:
    """A plain producer of the product's commands, and plain consumers of both topics."""
    commands, events = (topic.name(stack.kafka.topic_prefix) for topic in (COMMANDS_TOPIC, EVENTS_TOPIC))
    async with (
        open_log(stack.kafka) as log,
        open_feed(stack.kafka, commands) as sent,
        open_feed(stack.kafka, events) as told,
    ):
        yield Kafka(log, sent, told)


@pytest.fixture(scope="session")
def repository(stack: Stack) -> Path:
    """A git repository with the code of steps, in a folder that the builder may read."""
    folder = stack.data_dir / "sources"
    make_repository(folder)
    return folder


@pytest.fixture
async def new_tenant(stack: Stack, kafka: Kafka, repository: Path) -> AsyncIterator[NewTenant]:
    """Make users, each of a new environment unless one is named."""
    async with AsyncExitStack() as opened:

        async def make(environment: str | None = None) -> Tenant:
            return await opened.enter_async_context(open_tenant(stack, kafka, repository, environment))

        yield make


@pytest.fixture
async def tenant(new_tenant: NewTenant) -> Tenant:
    """A user of an environment with nothing in it."""
    return await new_tenant()


@pytest.fixture
async def step(tenant: Tenant) -> str:
    """The name of a step of the environment that is Ready."""
    assert await tenant.create_step("train") == "Ready"
    return "train"


@pytest.fixture
async def pipeline(tenant: Tenant, step: str) -> str:
    """The name of a pipeline of the environment."""
    assert (await tenant.create_pipeline("churn", step)).status_code == 201
    return "churn"


@pytest.fixture
def silent_host(stack: Stack) -> Iterator[str]:
    """A host that the builder may fetch from, and that takes every connection and never says a word."""
    host, _, port = stack.silent_host.partition(":")
    with socket.create_server((host, int(port))):
        yield stack.silent_host


@pytest.fixture(scope="session")
async def driver_of(request: pytest.FixtureRequest) -> AsyncIterator[DriverOf]:
    """Give the process of a version of craft-ai-sdk, one for the session; a version that is not there is installed."""
    drivers: dict[Version, Driver] = {}

    async def found(version: Version) -> Driver:
        if version not in drivers:
            try:
                drivers[version] = Driver(await interpreter(version, partial(_say, request.config)))
            except NotInstalled as error:
                pytest.fail(str(error), pytrace=False)
        return drivers[version]

    yield found
    for driver in drivers.values():
        await driver.stop()


@pytest.fixture(params=[*OWN_DOORS, *chosen_versions()], ids=_door_name)
async def door(
    request: pytest.FixtureRequest, stack: Stack, tenant: Tenant, driver_of: DriverOf
) -> AsyncIterator[Door]:
    """The page's four functions, by each client that has them."""
    opening = OWN_DOORS.get(request.param) or partial(sdk_door, await driver_of(request.param))
    async with opening(stack.url, tenant.member.sdk_token) as opened:
        yield opened


@pytest.fixture
def pipeloom(stack: Stack, tenant: Tenant) -> Pipeloom:
    """Run the command line as the tenant."""
    return pipeloom_at(stack, tenant.member.sdk_token)


@pytest.fixture(params=CLIENTS)
async def ask(request: pytest.FixtureRequest, stack: Stack, tenant: Tenant) -> AsyncIterator[Ask]:
    """Call a method of our own client by its name, of the one that waits and of the one for asyncio."""
    client = request.param(stack.url, tenant.member.sdk_token)
    yield asking(client)
    await close(client)


def _say(config: pytest.Config, message: str) -> None:
    """Tell who watches the tests, although pytest keeps what tests print."""
    capture = config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        print(f"\n{message}", file=sys.stderr, flush=True)

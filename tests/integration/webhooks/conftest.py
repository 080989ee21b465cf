"""An installation with events in its log, a receiver, and webhooks between them."""

import itertools
import json
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any
from uuid import UUID, uuid4

import pytest
from standardwebhooks import Webhook

from events.envelope import Event
from services.command import webhook_store
from services.kit.health import Health
from services.kit.postgres import Pool, open_pool
from services.kit.sealing import Sealer
from services.kit.settings import Settings, WebhooksSettings
from services.kit.webhook_secrets import new_secret, seal_secret
from services.kit.writing import writing
from services.webhooks.service import run_webhooks
from tests.integration.kit.conftest import MakeEvent, write_log
from tests.integration.kit.conftest import make_event as make_event
from tests.support.installation import new_installation, new_member
from tests.support.receiver import Posted, Receiver, open_receiver
from tests.support.servers import Servers
from tests.support.services import eventually, running_service

PARTITIONS = itertools.count(100)
HEAD = """
INSERT INTO environment_head VALUES ($1, $2)
ON CONFLICT (environment) DO UPDATE SET sequence = excluded.sequence
"""


@dataclass(frozen=True)
class Hook:
    """A webhook that was made, with its secret."""

    id: UUID
    secret: str

    def verified(self, posted: Posted) -> Any:
        """Return the event of a request as a receiver does that checks the signature."""
        return Webhook(self.secret).verify(posted.body, posted.headers)


@dataclass
class World:
    """One environment, what happens in it, and who is told."""

    settings: Settings
    pool: Pool
    receiver: Receiver
    environment: str
    partition: int
    make_event: MakeEvent
    happened: int = 0

    async def hook(self, path: str, types: list[str] | None = None, subject: str = "") -> Hook:
        """Make a webhook as the command service does."""
        webhook_id, secret = uuid4(), new_secret()
        fields = {
            "id": webhook_id,
            "environment": self.environment,
            "url": self.receiver.url(path),
            "types": types,
            "subject": subject,
            "sealed_secret": seal_secret(Sealer(self.settings.secrets), self.environment, webhook_id, secret),
            "created_by": "ada",
        }
        async with writing(self.pool, "the webhook") as connection:
            await webhook_store.create(connection, 20, fields)
        return Hook(webhook_id, secret)

    async def happen(self, number: int = 1, **changes: Any) -> list[Event]:
        """Let events happen, one after the other."""
        places = range(self.happened + 1, self.happened + number + 1)
        ours = {"environment": self.environment, "partition": self.partition, **changes}
        events = [self.make_event(sequence=place, **ours) for place in places]
        self.happened += number
        async with self.pool.acquire() as connection, connection.transaction():
            await write_log(connection, *events)
            await connection.execute(HEAD, self.environment, self.happened)
        return events

    def service(self, **changes: Any) -> AbstractAsyncContextManager[Health]:
        """Run a process that delivers for the length of the block."""
        return running_service(run_webhooks, self.with_changes(**changes))

    def with_changes(self, **changes: Any) -> Settings:
        webhooks = self.settings.webhooks.model_copy(update=changes)
        return self.settings.model_copy(update={"webhooks": webhooks})

    async def deliveries(self, hook: Hook) -> list[Any]:
        return await self.pool.fetch("SELECT * FROM webhook_delivery WHERE webhook_id = $1 ORDER BY sequence", hook.id)

    async def webhook(self, hook: Hook) -> Any:
        return await self.pool.fetchrow("SELECT * FROM webhook WHERE id = $1", hook.id)

    async def until(self, hook: Hook, **wanted: Any) -> Any:
        """Return the only delivery of a webhook once it is so."""
        found: list[Any] = []

        async def is_so() -> bool:
            found[:] = await self.deliveries(hook)
            return len(found) == 1 and {name: found[0][name] for name in wanted} == wanted

        try:
            await eventually(is_so, 10)
        except TimeoutError:
            pytest.fail(f"the delivery is {found}, not {json.dumps(wanted)}")
        return found[0]


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with open_receiver() as opened:
        yield opened


@pytest.fixture(scope="session")
async def shared_installation(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """One installation for all: each test has an environment and a partition of its own, and deletes its webhooks."""
    return await new_installation(servers, tmp_path_factory.mktemp("webhooks"))


@pytest.fixture
async def pool(shared_installation: Settings) -> AsyncIterator[Pool]:
    async with open_pool(shared_installation.postgres, size=2) as opened:
        yield opened


@pytest.fixture
async def world(
    shared_installation: Settings, pool: Pool, receiver: Receiver, make_event: MakeEvent
) -> AsyncIterator[World]:
    member = await new_member(shared_installation.postgres)
    webhooks = WebhooksSettings(
        allow_http=True,
        allowed_networks=[ip_network("127.0.0.0/8")],
        timeout_s=1.0,
        retry_delays_s=[0.05, 0.05, 0.05],
        poll_interval_s=0.05,
    )
    settings = shared_installation.model_copy(update={"webhooks": webhooks})
    yield World(settings, pool, receiver, member.environment, next(PARTITIONS), make_event)
    await pool.execute("DELETE FROM webhook")

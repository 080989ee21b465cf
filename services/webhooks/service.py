"""Runs the webhooks: any number of processes, which share the deliveries by leases in Postgres."""

import asyncio
from contextlib import aclosing

from services.kit.backend import open_sealer
from services.kit.health import Health
from services.kit.notices import listen
from services.kit.postgres import open_pool
from services.kit.probes import probe_postgres
from services.kit.process import running
from services.kit.schema import demand_migrated
from services.kit.settings import Settings
from services.webhooks.courier import Courier
from services.webhooks.sending import Sender


async def run_webhooks(settings: Settings, health: Health, stop: asyncio.Event) -> None:
    """Deliver until `stop` is set."""
    sealer = open_sealer(settings.secrets)
    await demand_migrated(settings.postgres)
    async with open_pool(settings.postgres) as pool, aclosing(Sender(settings.webhooks)) as sender:
        courier = Courier(pool, sealer, sender, settings.webhooks, health)
        async with running(listen(settings.postgres, courier.on_notice), probe_postgres(pool, health), courier.tidy()):
            await courier.run(stop)

"""Runs the webhooks: any number of processes, which share the deliveries by leases in Postgres."""

import asyncio

from services.kit.backend import open_sealer
from services.kit.health import Health
from services.kit.notices import listen
from services.kit.postgres import open_pool
from services.kit.probes import POSTGRES_PART, probe_postgres
from services.kit.process import running
from services.kit.schema import demand_migrated
from services.kit.settings import Settings
from services.kit.watchdog import Watchdog
from services.webhooks.courier import Courier
from services.webhooks.deliveries import Deliveries
from services.webhooks.sending import Sender
from services.webhooks.tidying import tidy


async def run_webhooks(settings: Settings, health: Health, stop: asyncio.Event) -> None:
    """Deliver until `stop` is set."""
    sealer = open_sealer(settings.secrets)
    await demand_migrated(settings.postgres)
    async with open_pool(settings.postgres) as pool:
        deliveries = Deliveries(pool, settings.webhooks)
        courier = Courier(deliveries, sealer, Sender(settings.webhooks), settings.webhooks, health)
        notices = listen(settings.postgres, courier.on_notice)
        stuck_after_s = settings.watchdog.stuck_after_s
        # All places may be taken by receivers that do not answer, for as long as an attempt may take.
        patience_s = stuck_after_s + settings.webhooks.timeout_s if stuck_after_s else 0.0
        watchdog = Watchdog(patience_s, health, courier.look, servers=[POSTGRES_PART])
        async with running(notices, probe_postgres(pool, health), tidy(deliveries), watchdog.run()):
            await courier.run(stop)

"""Counts what waits and deletes what was done long ago, now and then."""

import asyncio
import contextlib

from services.kit.postgres import POSTGRES_TROUBLE
from services.webhooks.deliveries import Deliveries
from services.webhooks.metrics import OLDEST_DUE, PENDING

TIDY_EVERY_S = 30.0


async def tidy(deliveries: Deliveries) -> None:
    """Tidy until cancelled."""
    while True:
        with contextlib.suppress(*POSTGRES_TROUBLE):  # the courier says so on the health page
            await tidy_once(deliveries)
        await asyncio.sleep(TIDY_EVERY_S)


async def tidy_once(deliveries: Deliveries) -> None:
    """Count what waits, and delete all that was done long ago, some at a time."""
    PENDING.set(await deliveries.count_pending())
    OLDEST_DUE.set(await deliveries.oldest_due_s())
    while await deliveries.forget_old():
        pass

"""Where nobody is told of anything, commits cost Postgres nothing for the webhooks' sake."""

import asyncio
from collections import Counter
from typing import Any, cast

from services.kit.health import Health
from services.kit.settings import WebhooksSettings
from services.webhooks.courier import Courier
from services.webhooks.deliveries import NOTHING, Deliveries, Due, Made
from tests.support.services import eventually


class Asked:
    """Counts what is asked of Postgres, where there is no event and no delivery."""

    def __init__(self, *, has_webhooks: bool) -> None:
        self.calls: Counter[str] = Counter()
        self.has_webhooks = has_webhooks

    async def are_there_webhooks(self) -> bool:
        self.calls["webhooks"] += 1
        return self.has_webhooks

    async def make(self) -> Made:
        self.calls["events"] += 1
        return NOTHING

    async def claim(self, _: Any) -> list[Due]:
        self.calls["due"] += 1
        return []


async def noticed(asked: Asked, polls: int) -> None:
    """Run a courier that is told of commits all the time, for some polls."""
    nobody: Any = None
    settings, stop = WebhooksSettings(poll_interval_s=0.2), asyncio.Event()
    courier = Courier(cast("Deliveries", asked), nobody, nobody, settings, Health())
    running = asyncio.ensure_future(courier.run(stop))

    def is_over() -> bool:
        courier.on_notice({})
        return asked.calls["webhooks"] == polls

    await eventually(is_over)
    stop.set()
    await running


async def test_without_a_webhook_only_the_poll_asks_and_only_whether_there_is_one() -> None:
    asked = Asked(has_webhooks=False)
    await noticed(asked, 3)
    assert asked.calls == {"webhooks": 3}


async def test_a_commit_without_deliveries_looks_for_events_and_claims_nothing() -> None:
    asked = Asked(has_webhooks=True)
    await noticed(asked, 3)
    assert 3 < asked.calls["events"] <= 3 + 2 * 4
    assert asked.calls["due"] in {2, 3}

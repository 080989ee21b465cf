"""The relay's lag, as Prometheus reads it from real tables."""

import asyncio

from prometheus_client import REGISTRY

from services.composer.service import run_composer
from services.kit.postgres import open_pool
from services.kit.process import running
from services.kit.settings import Settings
from services.relay.backlog import BacklogWatch
from services.relay.service import run_relay
from tests.integration.relay.test_relay import fill
from tests.support.installation import Log
from tests.support.services import eventually, running_service


def value(name: str, partition: int) -> float | None:
    return REGISTRY.get_sample_value(f"pipeloom_{name}", {"partition": str(partition)})


async def test_what_no_relay_publishes_is_told_as_lag(installation: Settings, log: Log) -> None:
    # Given five events, and no relay
    await fill(installation, log, 5)
    async with open_pool(installation.postgres) as pool:
        partition = await pool.fetchval("SELECT partition FROM event_log LIMIT 1")
        # When
        watch = BacklogWatch(pool)
        async with running(watch.run({partition: asyncio.Event()})):
            await eventually(lambda: value("relay_lag_events", partition) == 5)
            # Then
            assert value("relay_oldest_unpublished_seconds", partition) == 0


async def test_a_relay_that_publishes_tells_of_no_lag(installation: Settings, log: Log) -> None:
    await fill(installation, log, 5)
    async with open_pool(installation.postgres) as pool:
        partition = await pool.fetchval("SELECT partition FROM event_log LIMIT 1")
    before = REGISTRY.get_sample_value("pipeloom_relay_transaction_records_sum") or 0
    async with running_service(run_relay, installation):
        await log.events(5)
        await eventually(lambda: REGISTRY.get_sample_value("pipeloom_relay_transaction_records_sum") == before + 5)
        await eventually(lambda: value("relay_lag_events", partition) == 0)


async def test_a_composer_tells_how_far_it_is(installation: Settings, log: Log) -> None:
    # Given three commands
    environment = await fill(installation, log, 3)
    async with open_pool(installation.postgres) as pool:
        partition = await pool.fetchval("SELECT partition FROM event_log WHERE environment = $1 LIMIT 1", environment)
    # When a composer comes back to them
    async with running_service(run_composer, installation):
        # Then
        await eventually(lambda: value("composer_lag_records", partition) == 0)
        assert value("composer_cursor_offset", partition) == 3

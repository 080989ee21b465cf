"""A part's own lag and the one that the monitor tells of it are the same."""

import asyncio

from prometheus_client import REGISTRY

from services.kit.postgres import open_pool
from services.kit.process import running
from services.kit.settings import Settings
from services.monitor.measure import Behind, Meter
from services.relay.backlog import BacklogWatch
from tests.integration.relay.test_relay import fill
from tests.support.installation import Log
from tests.support.services import eventually


async def test_of_what_no_relay_has_published_relay_and_monitor_tell_the_same(installation: Settings, log: Log) -> None:
    # Given five events in the log, and a relay that only looks
    await fill(installation, log, 5)
    async with open_pool(installation.postgres) as pool:
        partition = await pool.fetchval("SELECT partition FROM event_log LIMIT 1")
        first = await pool.fetchval("SELECT min(log_offset) FROM event_log WHERE partition = $1", partition)
        meter = Meter(installation, installation.kafka.partitions)

        async def told(published: int | None) -> list[Behind]:
            known = {} if published is None else {partition: published}
            async with pool.acquire() as connection:
                return await meter.relay(connection, known, {partition: 0})

        # When both look
        async with running(BacklogWatch(pool).run({partition: asyncio.Event()})):
            labels = {"partition": str(partition)}
            await eventually(lambda: REGISTRY.get_sample_value("pipeloom_relay_lag_events", labels) == 5)

        # Then
        assert await told(None) == [Behind("relay", partition, 5)]

        # And a result that the monitor has read, or that a relay has noted, is published
        assert await told(first) == [Behind("relay", partition, 4)]
        await pool.execute(
            "INSERT INTO relay_position (partition, topic_offset, log_offset, log_index) VALUES ($1, 0, $2, 0)",
            partition,
            first,
        )
        assert await told(None) == [Behind("relay", partition, 4)]

"""A relay whose publisher hangs."""

import asyncio

import pytest

from services.kit.partitions import partition_of
from services.kit.settings import Settings
from services.relay.publisher import PartitionPublisher
from services.relay.service import run_relay
from tests.support.installation import Log
from tests.support.services import eventually, running_service

from .test_relay import fill


async def test_a_relay_that_publishes_nothing_although_there_is_something_gives_up(
    installation: Settings, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given events that are not published, and publishers that neither work nor fail
    environment = await fill(installation, log, 3)
    installation.watchdog.stuck_after_s = 2.0

    async def hang(_: object, __: object, stop: asyncio.Event, ___: object) -> None:
        await stop.wait()

    monkeypatch.setattr(PartitionPublisher, "run", hang)
    # When
    async with running_service(run_relay, installation, until=lambda health: health.gave_up is not None) as health:
        reason = str(health.gave_up)
    # Then
    where = partition_of(environment, installation.kafka.partitions)
    assert f"event log in partition {where}: 3 waiting, no progress since" in reason


async def test_a_relay_that_publishes_is_left_alone(installation: Settings, log: Log) -> None:
    installation.watchdog.stuck_after_s = 1.0
    await fill(installation, log, 3)
    async with running_service(run_relay, installation) as health:
        await log.events(3)
        seen = health.turns
        await eventually(lambda: health.turns > seen + 4)  # a second each: twice what would be too long
        assert health.gave_up is None

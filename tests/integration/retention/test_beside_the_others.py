"""Retention beside the composer and the relay on real Kafka: each of them goes on from where it was."""

from itertools import islice

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from services.composer.retention import service
from services.composer.retention.metrics import EVENTS, KEEP, OLDEST
from services.composer.retention.service import look_and_prune
from services.composer.retention.store import sql
from services.composer.service import run_composer
from services.kit.settings import Settings
from services.relay.service import run_relay
from tests.integration.recovery.test_lost_commands_topic import accept, make_anew
from tests.integration.retention.world import KEEP_DAYS, Retention
from tests.support.history import any_commands
from tests.support.installation import Log, new_member
from tests.support.services import eventually, running_service

NOTED = """
SELECT NOT EXISTS (
    SELECT FROM event_log e LEFT JOIN relay_position r USING (partition)
    WHERE (e.log_offset, e.log_index) > (coalesce(r.log_offset, -1), coalesce(r.log_index, -1))
) AND (SELECT count(*) FROM inbox) = $1
"""


async def published(retention: Retention, commands: int) -> None:
    async def is_noted() -> bool:
        return bool(await retention.value(NOTED, commands))

    await eventually(is_noted)


async def test_the_relay_goes_on_behind_what_was_pruned_also_on_a_topic_that_retention_emptied(
    installation: Settings, log: Log, retention: Retention
) -> None:
    # Given
    installation.retention.keep_days = KEEP_DAYS
    environment = (await new_member(installation.postgres)).environment
    asked = list(islice(any_commands(environment), 60))
    async with running_service(run_composer, installation):
        async with running_service(run_relay, installation):
            await log.ask(*asked[:40])
            await published(retention, 40)
        head = await retention.value("SELECT sequence FROM environment_head")
        partition = await retention.value("SELECT min(partition) FROM event_log")
        await retention.age(environment, publish=False)
        # When
        done = await look_and_prune(installation)
        admin = AIOKafkaAdminClient(bootstrap_servers=installation.kafka.bootstrap_servers)
        await admin.start()
        await admin.delete_records({TopicPartition(log.events_topic, partition): RecordsToDelete(before_offset=-1)})
        await admin.close()
        async with running_service(run_relay, installation):
            await log.ask(*asked[40:])
            await published(retention, 20)
            told = [event.sequence for event in await log.events(20)]
    # Then
    assert done
    assert (done.events, done.held) == (head, {})
    assert told == list(range(head + 1, head + 1 + len(told)))
    assert await retention.differences() == []


async def test_a_composer_prunes_by_itself_and_tells_how_old_the_oldest_row_is(
    installation: Settings, log: Log, retention: Retention, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given
    installation.retention.keep_days, installation.retention.every_s = KEEP_DAYS, 1.0
    monkeypatch.setattr(service, "DECIDED_WITHIN_S", 10.0)
    environment = (await new_member(installation.postgres)).environment
    before = EVENTS._value.get()
    async with running_service(run_composer, installation):
        await log.ask(*islice(any_commands(environment), 30))
        async with running_service(run_relay, installation):
            await published(retention, 30)
        events = await retention.value("SELECT count(*) FROM event_log")
        # When
        await retention.age(environment, publish=False)

        async def is_empty() -> bool:
            return not await retention.value("SELECT count(*) FROM event_log")

        await eventually(is_empty)
        await eventually(lambda: EVENTS._value.get() - before == events and OLDEST._value.get() == 0)
    # Then
    assert KEEP._value.get() == KEEP_DAYS * 86_400
    assert await retention.differences() == []


async def test_without_a_setting_nothing_is_pruned(installation: Settings, retention: Retention) -> None:
    assert installation.retention.keep_days is None
    assert await look_and_prune(installation) is None


async def test_one_process_of_all_prunes_at_a_time(installation: Settings, retention: Retention) -> None:
    installation.retention.keep_days = KEEP_DAYS
    assert await sql.lead(retention.connection)
    assert await look_and_prune(installation) is None


async def test_a_pruned_history_goes_on_after_the_commands_topic_was_lost(
    installation: Settings, log: Log, retention: Retention
) -> None:
    # Given
    installation.retention.keep_days = KEEP_DAYS
    environment = (await new_member(installation.postgres)).environment
    asked = list(islice(any_commands(environment), 40))
    async with running_service(run_composer, installation), running_service(run_relay, installation):
        await log.ask(*asked[:25])
        await published(retention, 25)
        await retention.age(environment, 20, publish=False)
        await look_and_prune(installation)
    horizon = await retention.value("SELECT sequence FROM history_horizon")
    left = await retention.value("SELECT count(*) FROM inbox")
    # When
    await make_anew(installation, log)
    code, told = await accept(installation)
    async with running_service(run_composer, installation):
        await log.ask(*asked[25:])

        async def are_decided() -> bool:
            return bool(await retention.value("SELECT count(*) = $1 FROM inbox", left + 15))

        await eventually(are_decided)
    # Then
    assert code == 0, told
    assert await retention.value("SELECT log_offset < -1 FROM history_horizon WHERE sequence = $1", horizon)
    assert await retention.differences() == []

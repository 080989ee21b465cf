"""The relay on real Kafka and Postgres: each event of the log once on the topic, in order, whoever dies."""

import asyncio
from contextlib import AsyncExitStack

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.errors import KafkaError

from events.commands import StepRequested
from events.envelope import Event
from services.composer.service import run_composer
from services.kit.clients import KafkaClients
from services.kit.eventlog import read_after
from services.kit.kafka import transactional_producer
from services.kit.lag import NOTHING
from services.kit.postgres import borrowed, open_pool
from services.kit.settings import Settings
from services.relay.position import find_published, note_published
from services.relay.publisher import PartitionPublisher
from services.relay.service import run_relay
from tests.support.installation import Log, command, new_member
from tests.support.services import eventually, running_service


async def fill(settings: Settings, log: Log, number: int) -> str:
    """Have the composer log `number` events of one environment, and return the environment."""
    environment = (await new_member(settings.postgres)).environment
    asked = [
        command(environment, StepRequested(step_name=f"s{each}", function_path="a.py", function_name="f"))
        for each in range(number)
    ]
    async with running_service(run_composer, settings):
        await log.ask(*asked)
        async with open_pool(settings.postgres) as pool:
            await eventually(
                lambda: _holds(
                    pool.fetchval("SELECT count(*) FROM event_log WHERE environment = $1", environment), number
                )
            )
    return environment


async def _holds(query: object, expected: int) -> bool:
    return await query == expected  # type: ignore[misc, no-any-return]


def of(environment: str, events: list[Event]) -> list[int | None]:
    return [event.sequence for event in events if event.environment == environment]


async def test_the_log_is_published_once_and_in_order_over_restarts(installation: Settings, log: Log) -> None:
    # Given
    environment = await fill(installation, log, 30)
    installation.relay.max_batch = 7
    # When
    for _ in range(2):
        async with running_service(run_relay, installation):
            await log.events(30)
    # Then
    assert of(environment, await log.events(30)) == list(range(1, 31))


async def test_what_was_published_is_found_by_reading_the_topic_back_without_a_note(
    installation: Settings, log: Log
) -> None:
    # Given
    environment = await fill(installation, log, 5)
    async with running_service(run_relay, installation):
        await log.events(5)
    async with open_pool(installation.postgres) as pool:
        await pool.execute("TRUNCATE relay_position")
    # When
    async with running_service(run_relay, installation):
        more = await fill(installation, log, 1)
        events = await log.events(6)
    # Then
    assert (of(environment, events), of(more, events)) == ([1, 2, 3, 4, 5], [1])


async def test_a_topic_that_retention_emptied_is_not_filled_again(installation: Settings, log: Log) -> None:
    # Given
    environment = await fill(installation, log, 5)
    async with running_service(run_relay, installation):
        partition = (await log.events(5))[0].partition
        async with open_pool(installation.postgres) as pool:
            await eventually(lambda: _holds(pool.fetchval("SELECT count(*) FROM relay_position"), 1))
    admin = AIOKafkaAdminClient(bootstrap_servers=installation.kafka.bootstrap_servers)
    await admin.start()
    await admin.delete_records({TopicPartition(log.events_topic, partition): RecordsToDelete(before_offset=-1)})
    await admin.close()
    # When
    async with running_service(run_relay, installation):
        more = await fill(installation, log, 1)
        events = await log.events(1)
    # Then
    assert (of(environment, events), of(more, events)) == ([], [1])


async def test_a_publisher_that_was_paused_and_wakes_up_is_fenced(installation: Settings, log: Log) -> None:
    # Given a publisher in the middle of a transaction, and a successor that has published everything
    environment = await fill(installation, log, 5)
    async with open_pool(installation.postgres) as pool:
        partition = await pool.fetchval("SELECT partition FROM event_log LIMIT 1")
        where = TopicPartition(log.events_topic, partition)
        paused = transactional_producer(installation.kafka, f"{where.topic}.relay.{where.partition}")
        await paused.start()
        clients = KafkaClients(installation.kafka)
        publisher = PartitionPublisher(installation.relay, clients, pool, where, lambda _: None)
        async with borrowed(pool) as connection:
            logged = await read_after(connection, partition, NOTHING, 10)
        await paused.begin_transaction()
        for event in logged:
            await publisher._send(paused, event)
        async with running_service(run_relay, installation):
            await log.events(5)
            # When
            with pytest.raises(KafkaError):
                await asyncio.wait_for(paused.commit_transaction(), 30)
        await asyncio.wait_for(paused.stop(), 5)
    # Then
    assert of(environment, await log.events(5)) == [1, 2, 3, 4, 5]


async def test_several_relays_share_the_partitions_and_one_takes_over_from_the_other(
    installation: Settings, log: Log
) -> None:
    # Given
    async with AsyncExitStack() as first, running_service(run_relay, installation):
        await first.enter_async_context(running_service(run_relay, installation))
        environment = await fill(installation, log, 3)
        await log.events(3)
        # When
        await first.aclose()
        more = await fill(installation, log, 3)
        events = await log.events(6)
    # Then
    assert (of(environment, events), of(more, events)) == ([1, 2, 3], [1, 2, 3])


async def test_the_position_is_what_the_topic_holds_even_when_the_note_is_older(
    installation: Settings, log: Log
) -> None:
    # Given
    await fill(installation, log, 4)
    async with running_service(run_relay, installation):
        events = await log.events(4)
    where = TopicPartition(log.events_topic, events[0].partition)
    async with open_pool(installation.postgres) as pool:
        found = await find_published(KafkaClients(installation.kafka), pool, where)
        await pool.execute("TRUNCATE relay_position")
        # When
        read_back = await find_published(KafkaClients(installation.kafka), pool, where)
        await note_published(pool, where.partition, read_back)
        # Then
        assert read_back.position == found.position == events[-1].position
        assert await find_published(KafkaClients(installation.kafka), pool, where) == read_back

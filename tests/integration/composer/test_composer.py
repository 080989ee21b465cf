"""The composer on real Kafka and Postgres: commands in, projection and event log out."""

import asyncio
from uuid import uuid4

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from events.commands import PipelineDeleteRequested, PipelineRequested, StepBuildReported, StepRequested
from events.envelope import Command, Event
from events.results import CommandRejected
from events.topics import COMMANDS_TOPIC
from services.composer.service import run_composer
from services.composer.store import claim_partition
from services.kit.eventlog import read_result
from services.kit.kafka import ensure_topics
from services.kit.partitions import partition_of
from services.kit.postgres import connect
from services.kit.settings import Settings
from tests.support.installation import Log, command, new_member, open_log, unique
from tests.support.services import eventually, running_service


async def result_of(settings: Settings, asked: Command, within_s: float = 30.0) -> Event:
    """Return the result of a command once it is in the event log."""
    connection = await connect(settings.postgres)
    try:
        async with asyncio.timeout(within_s):
            while True:
                decided = await read_result(connection, asked.environment, asked.id)
                if decided:
                    return decided.event
                await asyncio.sleep(0.02)
    finally:
        await connection.close()


async def value(settings: Settings, query: str, *arguments: object) -> object:
    connection = await connect(settings.postgres)
    try:
        return await connection.fetchval(query, *arguments)
    finally:
        await connection.close()


def ready_step(environment: str, name: str = "s") -> tuple[Command, Command]:
    step = command(environment, StepRequested(step_name=name, function_path="a.py", function_name="f"))
    report = StepBuildReported(step_name=name, requested_by=str(step.id), outcome="ready")
    return step, command(environment, report)


def create(environment: str, name: str = "p") -> Command:
    return command(environment, PipelineRequested(pipeline_name=name, step_names=["s"]))


async def test_commands_of_one_environment_are_decided_in_the_order_of_the_log(
    installation: Settings, log: Log
) -> None:
    # Given
    environment = (await new_member(installation.postgres)).environment
    first, second = create(environment), create(environment)
    gone = command(environment, PipelineDeleteRequested(pipeline_name="p"))
    # When
    async with running_service(run_composer, installation):
        await log.ask(*ready_step(environment), first, second, gone)
        results = [await result_of(installation, each) for each in (first, second, gone)]
    # Then
    assert [(event.type, event.sequence) for event in results] == [
        ("PipelineCreated", 3),
        ("CommandRejected", 4),
        ("PipelineDeleted", 5),
    ]
    assert await value(installation, "SELECT count(*) FROM pipeline") == 0


async def test_a_restarted_composer_goes_on_where_the_cursor_stands(installation: Settings, log: Log) -> None:
    # Given
    environment = (await new_member(installation.postgres)).environment
    async with running_service(run_composer, installation):
        await log.ask(*ready_step(environment))
        before = create(environment, "before")
        await log.ask(before)
        await result_of(installation, before)
    between = create(environment, "between")
    await log.ask(between)
    # When
    async with running_service(run_composer, installation):
        result = await result_of(installation, between)
    # Then
    assert result.sequence == 4
    assert await value(installation, "SELECT count(*) FROM event_log") == 4


async def test_a_cursor_older_than_what_kafka_was_told_wins(installation: Settings, log: Log) -> None:
    """Postgres restored from an older backup: the commands since then are composed again, to the same events."""
    # Given
    environment = (await new_member(installation.postgres)).environment
    asked = [*ready_step(environment), create(environment)]
    async with running_service(run_composer, installation):
        await log.ask(*asked)
        first = await result_of(installation, asked[-1])
    connection = await connect(installation.postgres)
    await connection.execute("TRUNCATE pipeline, step, deployment, inbox, event_log, environment_head CASCADE")
    await connection.execute("UPDATE partition_cursor SET next_offset = 0")
    await connection.close()
    # When
    async with running_service(run_composer, installation):
        again = await result_of(installation, asked[-1])
    # Then
    assert again == first


async def test_two_composers_share_the_partitions_and_every_command_is_decided_once(
    installation: Settings, log: Log
) -> None:
    # Given
    environments = [(await new_member(installation.postgres)).environment for _ in range(6)]
    async with running_service(run_composer, installation), running_service(run_composer, installation):
        # When
        asked = [each for environment in environments for each in (*ready_step(environment), create(environment))]
        await log.ask(*asked)
        results = [await result_of(installation, each) for each in asked]
    # Then
    assert {event.type for event in results} == {"StepCreated", "StepReady", "PipelineCreated"}
    assert await value(installation, "SELECT count(*) FROM event_log") == len(asked)


async def test_an_owner_that_was_superseded_writes_nothing_and_claims_anew(installation: Settings, log: Log) -> None:
    # Given
    environment = (await new_member(installation.postgres)).environment
    async with running_service(run_composer, installation):
        await log.ask(*ready_step(environment))
        partition = partition_of(environment, installation.kafka.partitions)
        connection = await connect(installation.postgres)
        rival = await claim_partition(connection, log.commands_topic, partition, uuid4(), 0, "rival")
        # When
        asked = create(environment)
        await log.ask(asked)
        result = await result_of(installation, asked)
        epoch = await connection.fetchval("SELECT epoch FROM partition_cursor WHERE partition = $1", partition)
        await connection.close()
    # Then
    assert (result.type, result.sequence, epoch) == ("PipelineCreated", 3, rival.claim.epoch + 1)


async def test_a_connection_that_postgres_ends_loses_and_doubles_nothing(installation: Settings, log: Log) -> None:
    # Given
    environment = (await new_member(installation.postgres)).environment
    asked = [create(environment, f"p{number}") for number in range(200)]
    async with running_service(run_composer, installation):
        await log.ask(*ready_step(environment))
        killer = await connect(installation.postgres)
        # When
        for number, each in enumerate(asked):
            await log.ask(each)
            if number % 20 == 0:
                await killer.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
        await killer.close()
        results = [await result_of(installation, each) for each in asked]
    # Then
    assert [event.sequence for event in results] == list(range(3, 203))
    assert await value(installation, "SELECT count(*) FROM pipeline") == 200


async def test_a_record_that_cannot_be_saved_is_refused_and_its_neighbours_go_on(
    installation: Settings, log: Log
) -> None:
    # Given a state that our own code cannot read, as a bug would leave it
    environment = (await new_member(installation.postgres)).environment
    async with running_service(run_composer, installation):
        await log.ask(*ready_step(environment))
        good = create(environment, "good")
        await log.ask(good)
        await result_of(installation, good)
        connection = await connect(installation.postgres)
        await connection.execute("UPDATE pipeline SET body = '{}' WHERE name = 'good'")
        await connection.close()
        broken = command(environment, PipelineDeleteRequested(pipeline_name="good"))
        neighbour = create(environment, "neighbour")
        # When
        await log.ask(broken, neighbour)
        results = [await result_of(installation, each) for each in (broken, neighbour)]
    # Then
    assert CommandRejected.model_validate_json(results[0].data).code == "internal_error"
    assert results[1].type == "PipelineCreated"
    assert await value(installation, "SELECT code FROM dead_letter") == "internal_error"


async def test_a_partition_whose_commands_are_gone_stops_with_an_alarm(installation: Settings, log: Log) -> None:
    # Given commands that retention deleted before they were composed
    environment = (await new_member(installation.postgres)).environment
    await log.ask(*ready_step(environment))
    async with running_service(run_composer, installation):
        asked = create(environment)
        await log.ask(asked)
        await result_of(installation, asked)
    await log.ask(create(environment, "lost"), create(environment, "kept"))
    where = TopicPartition(log.commands_topic, partition_of(environment, installation.kafka.partitions))
    admin = AIOKafkaAdminClient(bootstrap_servers=installation.kafka.bootstrap_servers)
    await admin.start()
    await admin.delete_records({where: RecordsToDelete(before_offset=4)})
    await admin.close()
    part = f"partition {where.partition}"
    # When
    async with running_service(run_composer, installation, until=lambda health: part in health.troubles) as health:
        reason = health.troubles[part]
    # Then
    assert reason is not None
    assert "docs/guides/operations.md" in reason
    assert await value(installation, "SELECT count(*) FROM pipeline") == 1


async def test_a_topic_that_was_made_anew_stops_its_partitions_even_when_the_offsets_fit(
    installation: Settings, log: Log
) -> None:
    # Given a cursor at offset 1, and a new topic of the same name that holds more than that
    environment = (await new_member(installation.postgres)).environment
    first, report = ready_step(environment)
    async with running_service(run_composer, installation):
        await log.ask(first)
        await result_of(installation, first)
    admin = AIOKafkaAdminClient(bootstrap_servers=installation.kafka.bootstrap_servers)
    await admin.start()
    await admin.delete_topics([log.commands_topic])
    await eventually(lambda: _is_created(installation))
    await admin.close()
    async with open_log(installation.kafka) as again:
        await again.ask(report, create(environment))
    part = f"partition {partition_of(environment, installation.kafka.partitions)}"
    # When
    async with running_service(run_composer, installation, until=lambda health: part in health.troubles) as health:
        reason = health.troubles[part]
    # Then
    assert reason is not None
    assert "made anew" in reason
    assert await value(installation, "SELECT count(*) FROM event_log") == 1


async def _is_created(settings: Settings) -> bool:
    """Try to create the topics: the deletion takes a moment."""
    return COMMANDS_TOPIC.name(settings.kafka.topic_prefix) in await ensure_topics(settings.kafka)


@pytest.mark.parametrize("size", [1, 5])
async def test_a_batch_is_cut_to_the_configured_size_without_loss(installation: Settings, log: Log, size: int) -> None:
    # Given
    installation.composer.max_batch = size
    environment = (await new_member(installation.postgres)).environment
    asked = [create(environment, unique("p")) for _ in range(12)]
    # When
    await log.ask(*ready_step(environment), *asked)
    async with running_service(run_composer, installation):
        results = [await result_of(installation, each) for each in asked]
    # Then
    assert [event.sequence for event in results] == list(range(3, 15))


async def test_a_repeat_from_kafka_is_answered_by_the_first_result(installation: Settings, log: Log) -> None:
    # Given
    environment = (await new_member(installation.postgres)).environment
    asked = command(environment, create(environment).data, id=uuid4())
    async with running_service(run_composer, installation):
        await log.ask(*ready_step(environment), asked)
        first = await result_of(installation, asked)
        # When
        behind = create(environment, "behind")
        await log.ask(asked, behind)
        await result_of(installation, behind)
    # Then
    assert await result_of(installation, asked) == first
    assert await value(installation, "SELECT count(*) FROM event_log WHERE command_id = $1", asked.id) == 1

"""The drill for a commands topic that was lost, as an operator does it: alarm, refusals, acceptance, going on."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from events.commands import StepRequested
from events.envelope import Command, Event
from events.topics import COMMANDS_TOPIC
from services.composer.recovery.progress import Progress
from services.composer.recovery.verify import verify
from services.composer.service import run_composer
from services.kit.health import Health
from services.kit.kafka import ensure_topics
from services.kit.partitions import partition_of
from services.kit.settings import Settings
from services.relay.service import run_relay
from tests.integration.recovery.test_rebuild import fetch
from tests.integration.recovery.test_verify import recovery
from tests.support.installation import Log, command, new_member, open_log
from tests.support.services import eventually, running_service


def steps(environment: str, *names: str) -> list[Command]:
    return [
        command(environment, StepRequested(step_name=name, function_path="a.py", function_name="f")) for name in names
    ]


async def accept(settings: Settings, *arguments: str) -> tuple[int, str]:
    ended = await recovery(
        settings,
        *("admin", "accept-commands-topic", *arguments),
        PIPELOOM_KAFKA__BOOTSTRAP_SERVERS=settings.kafka.bootstrap_servers,
    )
    return ended.returncode, ended.stdout or ended.stderr


@asynccontextmanager
async def kafka_admin(settings: Settings) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka.bootstrap_servers)
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


async def make_anew(settings: Settings, log: Log) -> None:
    async with kafka_admin(settings) as admin:
        await admin.delete_topics([log.commands_topic])

    async def is_created() -> bool:
        return COMMANDS_TOPIC.name(settings.kafka.topic_prefix) in await ensure_topics(settings.kafka)

    await eventually(is_created)


async def decided(settings: Settings, number: int) -> None:
    async def are_decided() -> bool:
        return await fetch(settings, "SELECT count(*) FROM inbox") == [(number,)]

    await eventually(are_decided)


def told(events: list[Event]) -> list[tuple[int | None, str]]:
    return sorted((event.sequence, event.subject) for event in events)


async def test_a_topic_made_anew_is_gone_on_with_after_the_drill_and_nothing_is_doubled(
    installation: Settings, log: Log
) -> None:
    # Given three commands that were decided and published, and a topic that was lost under a running composer
    environment = (await new_member(installation.postgres)).environment
    part = f"partition {partition_of(environment, installation.kafka.partitions)}"
    asked = steps(environment, "a", "b", "c")
    async with running_service(run_composer, installation) as health:
        async with running_service(run_relay, installation):
            await log.ask(*asked)
            await log.events(3)
        await make_anew(installation, log)
        async with open_log(installation.kafka) as again:
            await again.ask(asked[0], *steps(environment, "d", "e"))
            # When
            await eventually(lambda: bool(health.troubles.get(part)))
            rehearsed = await accept(installation, "--dry-run")
            code, answer = await accept(installation)
            async with running_service(run_relay, installation):
                # Then the composer goes on by itself
                await decided(installation, 5)
                events = await again.events(5)
    assert health.troubles[part] is None
    assert (rehearsed[0], json.loads(rehearsed[1])["accepted"]) == (0, False)
    assert (code, json.loads(answer)["accepted"]) == (0, True)
    assert told(events) == [(place, f"steps/{name}") for place, name in enumerate("abcde", start=1)]
    assert (await verify(installation, None, Progress())).differences == []


async def test_it_can_be_lost_twice(installation: Settings, log: Log) -> None:
    # Given
    environment = (await new_member(installation.postgres)).environment
    for number, name in enumerate("abc", start=1):
        async with (
            open_log(installation.kafka) as again,
            running_service(run_composer, installation),
            running_service(run_relay, installation),
        ):
            await again.ask(*steps(environment, name))
            await decided(installation, number)
            await again.events(number)
        if name != "c":
            await make_anew(installation, log)
            # When
            assert (await accept(installation))[0] == 0
    # Then
    assert told(await log.events(3)) == [(1, "steps/a"), (2, "steps/b"), (3, "steps/c")]
    assert (await verify(installation, None, Progress())).differences == []


async def test_it_is_refused_while_nothing_is_wrong(installation: Settings, log: Log) -> None:
    # Given
    environment = (await new_member(installation.postgres)).environment
    async with running_service(run_composer, installation):
        await log.ask(*steps(environment, "a"))
        await decided(installation, 1)
    # When
    code, sentence = await accept(installation)
    # Then
    assert code == 1
    assert "there is nothing to accept" in sentence


async def test_it_is_refused_while_events_are_unpublished_or_a_relay_runs(installation: Settings, log: Log) -> None:
    # Given
    environment = (await new_member(installation.postgres)).environment
    async with running_service(run_composer, installation):
        await log.ask(*steps(environment, "a"))
        await decided(installation, 1)
    await make_anew(installation, log)
    # When
    unpublished = await accept(installation)
    async with running_service(run_relay, installation):
        await log.events(1)

        async def it_is_noted() -> bool:
            return await fetch(installation, "SELECT count(*) FROM relay_position") == [(1,)]

        await eventually(it_is_noted)
        running = await accept(installation)
    # Then
    assert unpublished[0] == 1
    assert "are not published yet" in unpublished[1]
    assert running[0] == 1
    assert "Stop every relay" in running[1]
    assert (await accept(installation))[0] == 0


async def test_a_relay_that_died_before_it_noted_does_so_when_it_is_back(installation: Settings, log: Log) -> None:
    # Given
    environment = (await new_member(installation.postgres)).environment
    async with running_service(run_composer, installation), running_service(run_relay, installation):
        await log.ask(*steps(environment, "a"))
        await log.events(1)
    noted = await fetch(installation, "DELETE FROM relay_position RETURNING partition")
    # When
    async with running_service(run_relay, installation):

        async def it_is_noted() -> bool:
            return await fetch(installation, "SELECT partition FROM relay_position") == noted

        await eventually(it_is_noted)
    # Then
    assert len(await log.events(1)) == 1


async def test_commands_that_retention_took_are_passed_over_once_that_is_accepted(
    installation: Settings, log: Log
) -> None:
    # Given
    environment = (await new_member(installation.postgres)).environment
    partition = partition_of(environment, installation.kafka.partitions)
    async with running_service(run_composer, installation):
        await log.ask(*steps(environment, "a"))
        await decided(installation, 1)
    await log.ask(*steps(environment, "lost", "kept"))
    async with kafka_admin(installation) as admin:
        await admin.delete_records({TopicPartition(log.commands_topic, partition): RecordsToDelete(before_offset=2)})

    def is_stopped(health: Health) -> bool:
        return bool(health.troubles.get(f"partition {partition}"))

    # When
    async with running_service(run_composer, installation, until=is_stopped):
        code, answer = await accept(installation)
        await decided(installation, 2)
    # Then
    (move,) = json.loads(answer)["partitions"]
    assert (code, move["cursor_was"], move["goes_on_at"], move["log_makes_room"]) == (0, 1, 2, False)
    assert await fetch(installation, "SELECT name FROM step ORDER BY name") == [("a",), ("kept",)]
    assert (await verify(installation, None, Progress())).differences == []

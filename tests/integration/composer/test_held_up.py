"""A composer whose partition is held up: seen on its admin port, and ended by its watchdog; the next one goes on."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import httpx
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from events.commands import StepRequested
from events.envelope import Command
from events.topics import COMMANDS_TOPIC
from pipeloom.local.ports import HOST, pick_port
from pipeloom.status.report import report_of
from pipeloom.status.scrape import scrape_all
from services.composer.service import run_composer
from services.kit.partitions import partition_of
from services.kit.postgres import connect
from services.kit.process import HELD_UP
from services.kit.settings import Settings
from services.kit.watchdog import PART
from tests.support.installation import Log, command, new_member
from tests.support.services import eventually, running_service

AFTER_S = 12.0


def step(environment: str, name: str) -> Command:
    return command(environment, StepRequested(step_name=name, function_path="a.py", function_name="f"))


async def decided(settings: Settings) -> int:
    connection = await connect(settings.postgres)
    try:
        return int(await connection.fetchval("SELECT count(*) FROM inbox"))
    finally:
        await connection.close()


async def are_decided(settings: Settings, number: int) -> None:
    async def is_so() -> bool:
        return await decided(settings) == number

    await eventually(is_so)


@asynccontextmanager
async def locked(settings: Settings, partition: int) -> AsyncIterator[None]:
    """Hold the cursor of a partition, as a session does that was left open in the middle of a transaction."""
    connection = await asyncpg.connect(settings.postgres.dsn.get_secret_value())
    try:
        async with connection.transaction():
            await connection.execute(
                "SELECT FROM partition_cursor WHERE topic = $1 AND partition = $2 FOR UPDATE",
                COMMANDS_TOPIC.name(settings.kafka.topic_prefix),
                partition,
            )
            yield
    finally:
        await connection.close()


@asynccontextmanager
async def composer(settings: Settings, port: int) -> AsyncIterator[Process]:
    """Run a composer as a process of its own, until the block ends or it ends itself."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "services.composer",
        env={
            **os.environ,
            "PIPELOOM_KAFKA__BOOTSTRAP_SERVERS": settings.kafka.bootstrap_servers,
            "PIPELOOM_KAFKA__TOPIC_PREFIX": settings.kafka.topic_prefix,
            "PIPELOOM_POSTGRES__DSN": settings.postgres.dsn.get_secret_value(),
            "PIPELOOM_HEALTH__PORT": str(port),
            "PIPELOOM_WATCHDOG__STUCK_AFTER_S": str(AFTER_S),
        },
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await asyncio.wait_for(process.communicate(), 20)


async def parts_at(port: int) -> dict[str, str]:
    async with httpx.AsyncClient(trust_env=False) as http:
        try:
            return dict((await http.get(f"http://{HOST}:{port}/readyz")).json()["parts"])
        except (httpx.HTTPError, json.JSONDecodeError):
            return {}


async def test_a_partition_that_is_held_up_is_seen_and_then_ends_the_process_with_its_reason(
    installation: Settings, log: Log
) -> None:
    # Given a composer that has decided one command, and whose cursor is then locked
    environment, port = (await new_member(installation.postgres)).environment, pick_port()
    partition = partition_of(environment, installation.kafka.partitions)
    await log.ask(step(environment, "a"))
    async with composer(installation, port) as process:
        await are_decided(installation, 1)
        async with locked(installation, partition):
            await log.ask(step(environment, "b"))

            # When
            async def is_told() -> bool:
                return (await parts_at(port)).get(PART, "ok") != "ok"

            await eventually(is_told)
            told = (await parts_at(port))[PART]
            scrapes = await scrape_all({"composer": f"http://{HOST}:{port}"})
            assert process.stderr is not None
            said = (await asyncio.wait_for(process.stderr.read(), 60)).decode().splitlines()
            code = await process.wait()
    # Then
    assert told.startswith(f"commands in partition {partition}: 1 waiting, no progress since ")
    assert "at 1; batches: batches are held up: " in told
    assert "lock timeout" in told
    report = report_of([], scrapes, [], "")
    assert report["progress"]["held_up_s"] > 0
    assert report["processes"][0]["parts"][PART].startswith(f"commands in partition {partition}")
    assert code == HELD_UP
    assert said[-1].startswith(
        f"pipeloom composer: ended by its watchdog: commands in partition {partition}: 1 waiting"
    )
    # And the next one goes on
    async with running_service(run_composer, installation):
        await are_decided(installation, 2)


async def test_a_partition_that_was_stopped_on_purpose_ends_no_process(installation: Settings, log: Log) -> None:
    # Given a cursor before what the topic still holds
    environment = (await new_member(installation.postgres)).environment
    where = TopicPartition(log.commands_topic, partition_of(environment, installation.kafka.partitions))
    await log.ask(step(environment, "a"))
    async with running_service(run_composer, installation):
        await are_decided(installation, 1)
    await log.ask(*(step(environment, name) for name in "bcd"))
    admin = AIOKafkaAdminClient(bootstrap_servers=installation.kafka.bootstrap_servers)
    await admin.start()
    await admin.delete_records({where: RecordsToDelete(before_offset=3)})
    await admin.close()
    part = f"partition {where.partition}"
    installation.watchdog.stuck_after_s = 2.0
    # When
    async with running_service(run_composer, installation, lambda health: bool(health.troubles.get(part))) as health:
        seen = health.turns
        await eventually(lambda: health.turns > seen + 8)  # half a second each: twice what would be too long
        # Then
        assert (health.gave_up, health.is_well(PART)) == (None, True)

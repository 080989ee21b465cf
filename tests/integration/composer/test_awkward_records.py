"""Records as other clients write them: compressed, or such that our own client cannot decode them."""

import asyncio
import itertools
import os
import sys

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from events.codec import encode_command
from events.commands import PipelineRequested, StepBuildReported, StepRequested
from events.envelope import Command
from events.resources import InputSpec
from services.composer.service import run_composer
from services.kit.kafka import transactional_producer
from services.kit.partitions import partition_of
from services.kit.process import running
from services.kit.settings import Settings
from tests.integration.composer.test_composer import result_of, value
from tests.support.installation import Log, command, new_member, unique
from tests.support.services import eventually, running_service

# aiokafka's compiled encoder takes nothing but text; the one in plain Python can be made to write any bytes.
PRODUCER_OF_A_BAD_HEADER_NAME = """
import asyncio, sys
from aiokafka import AIOKafkaProducer

class NotUtf8(str):
    def encode(self, *_):
        return bytes([255, 254])

async def produce(servers, topic, key):
    async with AIOKafkaProducer(bootstrap_servers=servers) as producer:
        await producer.send_and_wait(topic, b"value", key=key.encode(), headers=[(NotUtf8("name"), b"value")])

asyncio.run(produce(*sys.argv[1:]))
"""


def step(environment: str, name: str) -> Command:
    return command(environment, StepRequested(step_name=name, function_path="a.py", function_name="f"))


@pytest.mark.parametrize("compression", ["gzip", "snappy", "lz4", "zstd"])
async def test_compressed_commands_are_read(installation: Settings, log: Log, compression: str) -> None:
    # Given
    environment = (await new_member(installation.postgres)).environment
    asked = step(environment, "s")
    record = encode_command(asked)
    producer = AIOKafkaProducer(bootstrap_servers=installation.kafka.bootstrap_servers, compression_type=compression)
    # When
    async with producer, running_service(run_composer, installation):
        await producer.send_and_wait(log.commands_topic, record.value, key=record.key, headers=record.headers)
        result = await result_of(installation, asked)
    # Then
    assert result.type == "StepCreated"


async def test_a_record_that_the_client_cannot_decode_is_buried_and_its_neighbours_are_composed(
    installation: Settings, log: Log
) -> None:
    # Given
    environment = (await new_member(installation.postgres)).environment
    before, behind = step(environment, "before"), step(environment, "behind")
    await log.ask(before)
    arguments = [installation.kafka.bootstrap_servers, log.commands_topic, environment]
    producer = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        PRODUCER_OF_A_BAD_HEADER_NAME,
        *arguments,
        env={**os.environ, "AIOKAFKA_NO_EXTENSIONS": "1"},
    )
    assert await asyncio.wait_for(producer.wait(), 30) == 0
    await log.ask(behind)
    # When
    async with running_service(run_composer, installation):
        results = [await result_of(installation, each) for each in (before, behind)]
    # Then
    assert [event.sequence for event in results] == [1, 2]
    assert await value(installation, "SELECT code || ' at ' || log_offset FROM dead_letter") == "unreadable_record at 1"


async def test_a_refusal_that_repeats_unprintable_text_does_not_stop_the_partition(
    installation: Settings, log: Log
) -> None:
    # Given a field's name with a NUL, which Postgres cannot hold
    environment = (await new_member(installation.postgres)).environment
    bad, behind = step(environment, "bad"), step(environment, "behind")
    record = encode_command(bad)
    data = b'{"step_name":"s","function_path":"a","function_name":"f","container_config":{"a\\u0000b":1e999}}'
    # When
    async with running_service(run_composer, installation):
        await log.put(record.key, data, record.headers)
        await log.ask(behind)
        results = [await result_of(installation, each) for each in (bad, behind)]
    # Then
    assert [event.type for event in results] == ["CommandRejected", "StepCreated"]


async def test_commands_that_lead_to_heavy_events_are_saved_in_pieces(installation: Settings, log: Log) -> None:
    # Given
    environment = (await new_member(installation.postgres)).environment
    heavy = [InputSpec(name="x", data_type="string", default_value="d" * 900_000)]
    asked = command(environment, StepRequested(step_name="s", function_path="a", function_name="f", inputs=heavy))
    report = StepBuildReported(step_name="s", requested_by=str(asked.id), outcome="ready")
    creations = [
        command(environment, PipelineRequested(pipeline_name=f"p{number}", step_names=["s"])) for number in range(60)
    ]
    await log.ask(asked, command(environment, report), *creations)
    # When
    async with running_service(run_composer, installation):
        result = await result_of(installation, creations[-1], 60)
    # Then
    assert (result.type, result.sequence) == ("PipelineCreated", 62)


async def test_a_transactions_marker_that_retention_deletes_with_its_command_is_no_loss(
    installation: Settings, log: Log
) -> None:
    # Given a command in a transaction, composed, with the transaction's marker behind it
    environment = (await new_member(installation.postgres)).environment
    first, behind = step(environment, "first"), step(environment, "behind")
    record = encode_command(first)
    producer = transactional_producer(installation.kafka, unique("producer"))
    async with running_service(run_composer, installation), producer:
        async with producer.transaction():
            sent = await producer.send(log.commands_topic, record.value, key=record.key, headers=record.headers)
        where = TopicPartition(log.commands_topic, (await sent).partition)
        await result_of(installation, first)
        cursor = "SELECT next_offset FROM partition_cursor WHERE partition = $1"

        async def is_behind_the_marker() -> bool:
            return await value(installation, cursor, where.partition) == 2

        await eventually(is_behind_the_marker)
    admin = AIOKafkaAdminClient(bootstrap_servers=installation.kafka.bootstrap_servers)
    await admin.start()
    await admin.delete_records({where: RecordsToDelete(before_offset=-1)})
    await admin.close()
    # When
    async with running_service(run_composer, installation):
        await log.ask(behind)
        result = await result_of(installation, behind)
    # Then
    assert result.sequence == 2


async def test_a_marker_is_passed_also_while_other_partitions_always_have_commands(
    installation: Settings, log: Log
) -> None:
    # Given two environments on partitions of their own, and one that never stops asking
    quiet = (await new_member(installation.postgres)).environment
    busy, partitions = quiet, installation.kafka.partitions
    while partition_of(busy, partitions) == partition_of(quiet, partitions):
        busy = (await new_member(installation.postgres)).environment
    asked = step(quiet, "asked")
    record = encode_command(asked)
    producer = transactional_producer(installation.kafka, unique("producer"))

    async def ask_on() -> None:
        for number in itertools.count():
            await log.ask(step(busy, f"s{number}"))

    async def is_behind_the_marker() -> bool:
        cursor = "SELECT next_offset FROM partition_cursor WHERE partition = $1"
        return await value(installation, cursor, partition_of(quiet, partitions)) == 2

    async with running_service(run_composer, installation), producer, running(ask_on()):
        # When
        async with producer.transaction():
            await producer.send(log.commands_topic, record.value, key=record.key, headers=record.headers)
        # Then
        await eventually(is_behind_the_marker)
    # And the marker was passed, not taken for a command
    decided = "SELECT count(*) FROM inbox WHERE partition = $1"
    assert await value(installation, decided, partition_of(quiet, partitions)) == 1

"""Records as other clients write them: compressed, or such that our own client cannot decode them."""

import asyncio
import os
import sys

import pytest
from aiokafka import AIOKafkaProducer

from events.codec import encode_command
from events.commands import StepRequested
from events.envelope import Command
from services.composer.service import run_composer
from services.kit.settings import Settings
from tests.integration.composer.test_composer import result_of, value
from tests.support.installation import Log, command, new_member
from tests.support.services import running_service

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

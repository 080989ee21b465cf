"""Writes a record whose header's name is not UTF-8: aiokafka's consumer cannot decode it."""

import asyncio
import os
import sys

from services.kit.settings import KafkaSettings

# The compiled encoder takes nothing but text; the one in plain Python can be made to write any bytes.
PRODUCER = """
import asyncio, sys
from aiokafka import AIOKafkaProducer

class NotUtf8(str):
    def encode(self, *_):
        return bytes([255, 254])

async def produce(servers, topic, partition):
    async with AIOKafkaProducer(bootstrap_servers=servers) as producer:
        await producer.send_and_wait(topic, b"value", headers=[(NotUtf8("n"), b"v")], partition=int(partition))

asyncio.run(produce(*sys.argv[1:]))
"""


async def produce_undecodable(kafka: KafkaSettings, topic: str, partition: int) -> None:
    """Write one such record."""
    arguments = [kafka.bootstrap_servers, topic, str(partition)]
    env = {**os.environ, "AIOKAFKA_NO_EXTENSIONS": "1"}
    producer = await asyncio.create_subprocess_exec(sys.executable, "-c", PRODUCER, *arguments, env=env)
    assert await asyncio.wait_for(producer.wait(), 30) == 0

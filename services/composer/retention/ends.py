"""Reads where the commands topic ends, and waits until everything before that is decided."""

import asyncio
from datetime import datetime

from events.topics import COMMANDS_TOPIC
from services.composer.retention.prune import NotDecidedError
from services.composer.retention.store import Ends, are_decided, sql
from services.kit.commands_log import read_commands_log
from services.kit.postgres import Connection
from services.kit.settings import KafkaSettings

LOOK_AGAIN_S = 0.5


async def read_topic_ends(connection: Connection, kafka: KafkaSettings) -> Ends:
    """Return what the topic holds now, at the least. Raises KafkaError and one of POSTGRES_TROUBLE."""
    topic = COMMANDS_TOPIC.name(kafka.topic_prefix)
    at: datetime = await sql.now(connection)
    held = await read_commands_log(kafka, topic)
    identity = next((each.topic_id for each in held.values()), None)
    return Ends(at, topic, identity, {partition: each.end for partition, each in held.items()})


async def wait_until_decided(connection: Connection, ends: Ends, within_s: float) -> None:
    """Return when everything that the topic held then is decided. Raises NotDecidedError when it takes longer."""
    try:
        async with asyncio.timeout(within_s):
            while not await are_decided(connection, ends):  # noqa: ASYNC110 - another process decides
                await asyncio.sleep(LOOK_AGAIN_S)
    except TimeoutError as error:
        raise NotDecidedError from error

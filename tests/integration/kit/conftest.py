"""An installation's database by hand: connections, and rows of its event log."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from events.envelope import Event, Position, timestamp
from services.kit.postgres import Connection, Pool, connect, open_pool
from services.kit.settings import Settings

MakeEvent = Callable[..., Event]

LOG = """
INSERT INTO event_log (
    partition, log_offset, log_index, environment, sequence, type, version, subject,
    command_id, command_source, is_result, actor, time, traceparent, data
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
"""
TAKE = """
INSERT INTO inbox (environment, command_id, fingerprint, partition, log_offset, log_index)
VALUES ($1, $2, $3, $4, $5, $6)
"""


async def write_log(connection: Connection, *events: Event) -> None:
    """Write events as the composer does."""
    await connection.executemany(
        LOG,
        [
            (
                event.partition,
                event.position.offset,
                event.position.index,
                event.environment,
                event.sequence,
                event.type,
                event.version,
                event.subject,
                event.command_id,
                event.command_source,
                event.is_result,
                event.actor,
                datetime.fromisoformat(event.time),
                event.traceparent,
                event.data,
            )
            for event in events
        ],
    )


async def take_id(connection: Connection, result: Event, fingerprint: bytes) -> None:
    """Note in the inbox that a command was decided."""
    place = result.position
    await connection.execute(
        TAKE, result.environment, result.command_id, fingerprint, result.partition, place.offset, place.index
    )


@pytest.fixture
async def connection(installation: Settings) -> AsyncIterator[Connection]:
    opened = await connect(installation.postgres)
    yield opened
    await opened.close()


@pytest.fixture
async def pool(installation: Settings) -> AsyncIterator[Pool]:
    async with open_pool(installation.postgres, size=2) as opened:
        yield opened


@pytest.fixture
def make_event() -> MakeEvent:
    """Make the result of a command of its own; keywords change its fields."""
    made = 0

    def make(**changes: Any) -> Event:
        nonlocal made
        made += 1
        fields: dict[str, Any] = {
            "partition": 0,
            "position": Position(made, 0),
            "environment": "lab",
            "sequence": made,
            "type": "PipelineCreated",
            "version": 1,
            "subject": f"pipelines/p{made}",
            "command_id": uuid4(),
            "command_source": "/tests",
            "is_result": True,
            "actor": "ada",
            "time": timestamp(datetime.now(UTC)),
            "data": '{"pipeline":{}}',
        }
        return Event(**(fields | changes))

    return make

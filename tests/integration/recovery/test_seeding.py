"""What the benchmarks seed is what the composer would have written."""

import asyncio
from uuid import uuid4

from benchmarks.seeding import Shape, seed
from events.topics import COMMANDS_TOPIC
from services.composer.recovery.progress import Progress
from services.composer.recovery.rebuild import rehearse
from services.composer.recovery.verify import verify
from services.kit.postgres import connect
from services.kit.settings import Settings

SHAPE = Shape(pipelines=2_250, environments=2)


async def test_a_seeded_installation_equals_its_replay(installation: Settings) -> None:
    # Given
    told: list[int] = []
    connection = await connect(installation.postgres)
    try:
        topic = COMMANDS_TOPIC.name(installation.kafka.topic_prefix)
        # When
        events = await seed(connection, SHAPE, topic, uuid4(), told.append)
    finally:
        await asyncio.wait_for(connection.close(), 10)
    # Then
    verified = await verify(installation, None, Progress())
    rehearsed = await rehearse(installation, Progress())
    assert (verified.events, verified.differences) == (events, [])
    assert (rehearsed.events, rehearsed.differences) == (events, [])
    assert sum(told) == SHAPE.pipelines

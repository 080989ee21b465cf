"""A history that is old enough, and what a test asks of retention on it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import asyncpg

from events.topics import COMMANDS_TOPIC
from services.composer.recovery.progress import Progress
from services.composer.recovery.verify import verify
from services.composer.retention.prune import Pace, Piece, Pruned, prune
from services.composer.retention.store import Ends, sql
from services.kit.postgres import connect
from services.kit.settings import Settings
from tests.support.history import TOPIC_ID

KEEP_DAYS = 14.0
QUICK = Pace(100, 0.0)

PUBLISH_ALL = """
INSERT INTO relay_position (partition, topic_offset, log_offset, log_index)
SELECT DISTINCT ON (partition) partition, 0, log_offset, log_index FROM event_log
ORDER BY partition, log_offset DESC, log_index DESC
ON CONFLICT (partition) DO UPDATE SET log_offset = excluded.log_offset, log_index = excluded.log_index
"""
AGE = """
UPDATE inbox i SET decided_at = now() - interval '20 days' FROM event_log e
WHERE e.environment = i.environment AND e.command_id = i.command_id AND e.environment = $1 AND e.sequence <= $2
"""
EVERYTHING = 10**9


class Retention:
    """Retention on the database of an installation, without Kafka."""

    def __init__(self, settings: Settings, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        self.settings = settings
        self.connection = connection

    async def age(self, environment: str, up_to: int = EVERYTHING, *, publish: bool = True) -> None:
        """Make the commands of a history old up to a place, and note everything as published."""
        await self.connection.execute(AGE, environment, up_to)
        if publish:
            await self.connection.execute(PUBLISH_ALL)

    async def ends(self, offsets: dict[int, int] | None = None) -> Ends:
        at: datetime = await sql.now(self.connection)
        return Ends(at, COMMANDS_TOPIC.name(self.settings.kafka.topic_prefix), TOPIC_ID, offsets or {})

    async def prune(self, pace: Pace = QUICK) -> tuple[Pruned, list[Piece]]:
        pieces: list[Piece] = []
        done = await prune(self.connection, await self.ends(), KEEP_DAYS, pace, pieces.append)
        return done, pieces

    async def differences(self) -> list[str]:
        return [str(each) for each in (await verify(self.settings, None, Progress())).differences]

    async def value(self, query: str, *given: Any) -> Any:
        return await self.connection.fetchval(query, *given)

    async def sequences(self, environment: str) -> list[int]:
        query = "SELECT sequence FROM event_log WHERE environment = $1 ORDER BY sequence"
        return [row["sequence"] for row in await self.connection.fetch(query, environment)]


@asynccontextmanager
async def open_retention(settings: Settings) -> AsyncIterator[Retention]:
    """Give retention on an installation for the length of the block."""
    connection = await connect(settings.postgres)
    try:
        yield Retention(settings, connection)
    finally:
        connection.terminate()

"""What the watchdog sees of the composer: the cursors in Postgres, and where the commands topic ends."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from aiokafka import TopicPartition

from services.kit.health import Health
from services.kit.lag import records_behind
from services.kit.postgres import Pool, borrowed
from services.kit.progress import Place, Seen
from services.kit.settings import KafkaSettings
from services.kit.statements import load_queries
from services.kit.topic_ends import TopicEnds
from services.kit.watchdog import TURNS

WHAT = "commands"
READ_S = 5.0

sql = load_queries(__file__)


@dataclass
class Held:
    """The partitions that were this process's to compose when it was last about to read on."""

    partitions: frozenset[TopicPartition] = field(default_factory=frozenset)

    def note(self, assigned: Collection[TopicPartition], stopped: Collection[int]) -> None:
        """Note what the group has assigned. What was stopped on purpose waits for an operator, not for this process."""
        self.partitions = frozenset(each for each in assigned if each.partition not in stopped)


class ComposerProgress:
    """Looks from outside of the loop, with a Kafka client of its own: what it holds may be what is stuck."""

    def __init__(self, kafka: KafkaSettings, pool: Pool, health: Health, held: Held) -> None:
        self._pool = pool
        self._health = health
        self._held = held
        self._ends = TopicEnds(kafka)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        await self._ends.close()

    async def look(self) -> Mapping[Place, Seen]:
        """Return how far each held partition is. Raises what Kafka or Postgres did."""
        held = self._held.partitions
        turns = {TURNS: Seen(1, self._health.turns)}
        if not held:
            return turns
        cursors = await self._cursors(next(iter(held)).topic)
        ends = await self._ends.read(held)
        commands = {
            Place(WHAT, where.partition): Seen(
                records_behind(end, cursors.get(where.partition, 0)), cursors.get(where.partition, 0)
            )
            for where, end in ends.items()
        }
        return commands | turns

    async def _cursors(self, topic: str) -> dict[int, int]:
        async with asyncio.timeout(READ_S), borrowed(self._pool) as connection:
            return {row["partition"]: row["next_offset"] async for row in sql.read_cursors(connection, topic=topic)}

"""What the simulation found once, as the shortest story that shows it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from aiokafka import TopicPartition

from services.composer.claims import LOOK_AGAIN_S
from services.composer.service import compose_until
from services.kit.health import Health
from services.kit.settings import ComposerSettings, Settings
from tests.simulation.broker import Broker
from tests.simulation.clock import Process, VirtualLoop
from tests.simulation.log import Payload
from tests.simulation.network import Network
from tests.simulation.postgres import Postgres, SimulatedPool
from tests.simulation.producers import SimulatedClients
from tests.simulation.world import COMMANDS, EVENTS, KAFKA

WITHIN_S = 30.0


class Story:
    """One composer on one partition, with nothing that fails by chance."""

    def __init__(self) -> None:
        network = Network("story")
        self.broker = Broker(network, (COMMANDS, EVENTS), 1)
        self.postgres = Postgres(network)
        self.where = TopicPartition(COMMANDS, 0)
        self.process = Process("composer")
        clients = SimulatedClients(network, self.broker, self.process)
        pool: Any = SimulatedPool(self.postgres, self.process)
        settings = Settings.model_construct(kafka=KAFKA, composer=ComposerSettings(session_timeout_ms=2_000))
        self.process.run(compose_until(self.process.stop, settings, Health(), clients, pool))

    async def caught_up(self) -> None:
        """Return once the cursor is at the end of the log. Raises TimeoutError."""
        async with asyncio.timeout(WITHIN_S):
            while self._cursor() != self.broker.logs[self.where].end:  # noqa: ASYNC110 - the clock is virtual
                await asyncio.sleep(0.1)

    def _cursor(self) -> int | None:
        row = self.postgres.tables.cursors.get((COMMANDS, 0))
        return None if row is None else int(row["next_offset"])


def told(story: Callable[[Story], Awaitable[None]]) -> None:
    """Run a story to its end."""

    async def tell() -> None:
        world = Story()
        await story(world)
        world.process.stop.set()
        await asyncio.gather(*(task for task in [world.process.task] if task))

    loop = VirtualLoop()
    try:
        loop.run_until_complete(tell())
    finally:
        loop.close()


def test_a_cursor_reaches_markers_also_when_somebody_else_claimed_meanwhile() -> None:
    """Seed 101319: a rebalance left the owner with an epoch that was over, and no command came to tell it so."""

    async def story(world: Story) -> None:
        # Given a composer that has composed all there is
        world.broker.append(world.where, Payload(None, b"{}"))
        await world.caught_up()
        # When another one claims its partition and goes, and only a transaction that was given up follows
        world.postgres.tables.claim_partition(
            0, topic=COMMANDS, partition=0, topic_id=UUID(int=1), first_offset=0, owner="another"
        )
        transactions = world.broker.transactions
        epoch = transactions.take("given up")
        transactions.write("given up", epoch, 0, 0, world.where, [Payload(None, b"{}")])
        transactions.end("given up", epoch, 0, "abort")
        await asyncio.sleep(0.1)
        # Then
        await world.caught_up()

    told(story)


def test_an_owner_that_went_on_after_the_next_one_had_looked_does_not_look_like_a_lost_topic() -> None:
    """Seed 1011203: the end of the log was asked for before the claim, and the cursor was behind it by then."""

    async def story(world: Story) -> None:
        # Given an owner that goes on between the next one's look at the log and its claim
        tables = world.postgres.tables
        claim_partition = tables.claim_partition
        lost = iter([True])

        def claimed(*place: Any, **asked: Any) -> Any:
            if next(lost, False):
                claim_partition(*place, **{**asked, "owner": "another"})
                world.broker.append(world.where, Payload(None, b"{}"))
                tables.cursors[COMMANDS, 0]["next_offset"] = world.broker.logs[world.where].end
            return claim_partition(*place, **asked)

        tables.claim_partition = claimed  # type: ignore[method-assign]
        # When
        await world.caught_up()
        world.broker.append(world.where, Payload(None, b"{}"))
        # Then
        async with asyncio.timeout(LOOK_AGAIN_S / 2):
            await world.caught_up()

    told(story)

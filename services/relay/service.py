"""The relay: for each partition that this process owns, one publisher that goes on behind the last published event."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from events.envelope import Position
from events.topics import EVENTS_TOPIC
from services.kit.backoff import Backoff
from services.kit.clients import Clients, KafkaClients
from services.kit.health import Health
from services.kit.notices import Ranges, listen
from services.kit.postgres import POSTGRES_TROUBLE, Connection, Pool, connect, open_pool
from services.kit.probes import probe_kafka, probe_postgres
from services.kit.process import running
from services.kit.progress import Place, Seen
from services.kit.reasons import reason_of
from services.kit.schema import demand_migrated
from services.kit.settings import Settings
from services.kit.watchdog import TURNS, Watchdog
from services.relay.backlog import BacklogWatch
from services.relay.metrics import tell_replaced
from services.relay.position import sql
from services.relay.publisher import PartitionPublisher

OWN_EVERY_S = 1.0
# To read a topic back may take two minutes, in which nothing is published.
PATIENCE = 2
PART = "partition ownership"
# A record that the client cannot decode was written by somebody else: told, and looked at again.
TROUBLE = (KafkaError, UnicodeDecodeError, *POSTGRES_TROUBLE)

log = structlog.get_logger(repeats=True)


async def run_relay(settings: Settings, health: Health, stop: asyncio.Event) -> None:
    """Publish until `stop` is set. Several relays share the partitions by session locks in Postgres."""
    await demand_migrated(settings.postgres)
    health.expect(PART)
    pool = open_pool(settings.postgres)
    relay = Relay(settings, health, KafkaClients(settings.kafka), pool, lambda: connect(settings.postgres))
    watchdog = Watchdog(PATIENCE * settings.watchdog.stuck_after_s, health, relay.look)
    async with (
        pool,
        running(
            watchdog.run(),
            listen(settings.postgres, relay.on_notice),
            probe_kafka(settings.kafka, health),
            probe_postgres(pool, health),
            relay.watch_backlog(),
        ),
    ):
        await relay.run(stop)


class Relay:
    """The partitions of the events topic, and the publishers of those that this process owns."""

    def __init__(
        self,
        settings: Settings,
        health: Health,
        kafka: Clients,
        pool: Pool,
        new_session: Callable[[], Awaitable[Connection]],
    ) -> None:
        self._settings = settings
        self._health = health
        self._kafka = kafka
        self._pool = pool
        self._new_session = new_session
        self._topic = EVENTS_TOPIC.name(settings.kafka.topic_prefix)
        self._hints: dict[int, asyncio.Event] = {}
        self._backlog = BacklogWatch(pool)

    def on_notice(self, ranges: Ranges) -> None:
        """Wake the publishers of the partitions that have new events; all of them when a hint does not say which."""
        for partition in ranges or self._hints:
            if partition in self._hints:
                self._hints[partition].set()

    async def watch_backlog(self) -> None:
        """Tell how far behind the partitions are that this process owns, until cancelled."""
        await self._backlog.run(self._hints)

    async def look(self) -> Mapping[Place, Seen]:
        """Return how far each owned partition is, as it was seen last, for the watchdog."""
        return {TURNS: Seen(1, self._health.turns), **self._backlog.seen}

    async def run(self, stop: asyncio.Event) -> None:
        """Own and publish until `stop` is set, with a new session whenever one is lost."""
        backoff = Backoff()
        while not stop.is_set():
            try:
                await self._own_and_publish(stop)
            except* TROUBLE as group:
                reason = repr(group.exceptions[0])
                self._health.ill(PART, f"partitions cannot be owned: {reason}")
                log.warning("ownership is taken anew", error=reason)
                await backoff.wait(stop)

    async def _own_and_publish(self, stop: asyncio.Event) -> None:
        """Own and publish what nobody else does, until the session that holds the locks is lost or `stop` is set."""
        partitions = await self._kafka.count_partitions(self._topic)
        session = await self._new_session()
        try:
            async with asyncio.TaskGroup() as group:
                while not stop.is_set():
                    for partition in range(partitions):
                        if partition not in self._hints and await self._lock(session, partition):
                            self._hints[partition] = asyncio.Event()
                            group.create_task(self._publish(partition, stop))
                    await session.execute("SELECT 1")
                    self._health.well(PART)
                    self._health.turned()
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(stop.wait(), OWN_EVERY_S)
        finally:
            self._hints.clear()
            session.terminate()

    async def _lock(self, session: Connection, partition: int) -> bool:
        locked: bool = await sql.try_lock(session, topic=self._topic, partition=partition)
        return locked

    async def _publish(self, partition: int, stop: asyncio.Event) -> None:
        where = TopicPartition(self._topic, partition)
        hint = self._hints[partition]
        backoff = Backoff()

        def ready() -> None:
            self._health.well(f"partition {partition}")
            backoff.reset()

        def published(position: Position) -> None:
            self._backlog.published[partition] = position

        while not stop.is_set():
            try:
                publisher = PartitionPublisher(self._settings.relay, self._kafka, self._pool, where, published)
                await publisher.run(hint, stop, ready)
            except TROUBLE as error:
                self._health.ill(f"partition {partition}", f"events cannot be published: {reason_of(error)}")
                log.warning("a publisher is made anew", partition=partition, error=repr(error))
                tell_replaced(error)
                await backoff.wait(stop)

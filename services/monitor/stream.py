"""The Faust application: both topics into one agent, and a table whose changelog holds what was folded.

Faust acknowledges a record when its agent has seen it, whatever became of it. Here nothing is acknowledged before the
activities that it changed are in the changelog; a record that comes again is behind the offset in its activity.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

import faust

from events.topics import ACTIVITY_TOPIC, COMMANDS_TOPIC, EVENTS_TOPIC, MIB
from services.kit.settings import KafkaSettings, MonitorSettings
from services.monitor.intake import COMMANDS, EVENTS, Taken
from services.monitor.progress import Source
from services.monitor.transport import Transport

SEND_S = 15.0
ASK_S = 3.0
STOP_S = 8.0
MAX_SAVED_BYTES = 4 * MIB
TABLE = "environments"


class _App(faust.App):
    def _create_directories(self) -> None:
        """Make none: the table is in memory and in its changelog."""


def changelog_topic(kafka: KafkaSettings, monitor: MonitorSettings) -> str:
    """Return the topic that the table is restored from."""
    return f"{kafka.group('monitor', monitor.group_id)}-{TABLE}-changelog"


def _make_app(kafka: KafkaSettings, group: str, instance: str | None) -> faust.App:
    brokers = ";".join(f"kafka://{server.strip()}" for server in kafka.bootstrap_servers.split(","))
    app = _App(
        group,
        broker=brokers,
        store="memory://",
        autodiscover=False,
        key_serializer="raw",
        value_serializer="raw",
        web_enabled=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        consumer_auto_offset_reset="earliest",
        consumer_group_instance_id=instance,
        broker_session_timeout=10.0,
        broker_heartbeat_interval=3.0,
        broker_rebalance_timeout=30.0,
        broker_request_timeout=15.0,
        broker_commit_interval=1.0,
        producer_acks=-1,
        producer_max_request_size=MAX_SAVED_BYTES,
        stream_wait_empty=False,
        stream_recovery_delay=0.0,
    )
    app.transport = Transport(app.conf.broker, app)
    return app


class Stream:
    """The two topics as they come, and the changelog that follows them."""

    def __init__(
        self,
        kafka: KafkaSettings,
        monitor: MonitorSettings,
        partitions: int,
        *,
        take: Callable[[Taken], None],
        lost: Callable[[], None],
        restored: Callable[[Mapping[bytes, bytes]], None],
    ) -> None:
        """`take` gets each record, `restored` what was saved once it is read back, `lost` when others may own it."""
        self._names = {COMMANDS_TOPIC.name(kafka.topic_prefix): COMMANDS, EVENTS_TOPIC.name(kafka.topic_prefix): EVENTS}
        self._activity_topic = ACTIVITY_TOPIC.name(kafka.topic_prefix)
        self._take, self._lost, self._restored = take, lost, restored
        self._held: list[Any] = []
        self._generation = 0
        self._app = _make_app(kafka, kafka.group("monitor", monitor.group_id), monitor.instance_id)
        self._table = self._app.Table(
            TABLE, key_type=bytes, value_type=bytes, partitions=partitions, on_recover=self._on_recover
        )
        topics = self._app.topic(*self._names, key_type=bytes, value_type=bytes)
        self._app.agent(topics, name="fold")(self._fold)
        self._app.on_partitions_revoked.connect(self._on_revoked, weak=False)

    async def start(self) -> None:
        """Join the group; returns when the table is restored."""
        await self._app.start()

    async def stop(self) -> None:
        """Leave the group, within STOP_S."""
        async with asyncio.timeout(STOP_S):
            await self._app.stop()

    @property
    def trouble(self) -> BaseException | None:
        """Why the application has stopped by itself, None as long as it has not."""
        return (self._app.crash_reason or RuntimeError("it crashed")) if self._app.crashed else None

    @property
    def is_rebalancing(self) -> bool:
        """Tell whether partitions are changing hands, or the table is being restored."""
        return bool(self._app.rebalancing or self._app.in_recovery)

    async def fetched(self) -> dict[Source, int]:
        """Return up to where each source that this process holds was fetched."""
        consumer = self._app.consumer
        found: dict[Source, int] = {}
        async with asyncio.timeout(ASK_S):
            for where in consumer.assignment():
                if where.topic in self._names:
                    found[Source(self._names[where.topic], where.partition)] = await consumer.position(where) or 0
        return found

    async def save(self, changed: Mapping[bytes, bytes | None]) -> None:
        """Write to the changelog, then acknowledge what was taken before. Raises what Kafka did, or TimeoutError."""
        held, generation = self._held, self._generation
        self._held = []
        sent = [self._send(key, value) for key, value in changed.items()]
        try:
            async with asyncio.timeout(SEND_S):
                await asyncio.gather(*sent)
        except BaseException:
            self._held = held + self._held if generation == self._generation else self._held
            raise
        # What was taken before a rebalance comes again, and is folded again on top of what was restored.
        for event in held if generation == self._generation else ():
            event.ack()

    async def tell(self, key: bytes, value: bytes, headers: Iterable[tuple[str, bytes]]) -> None:
        """Write to the activity topic. Raises what Kafka did, or TimeoutError."""
        async with asyncio.timeout(SEND_S):
            await self._app.producer.send_and_wait(
                self._activity_topic, key, value, partition=None, timestamp=None, headers=list(headers)
            )

    def _send(self, key: bytes, value: bytes | None) -> Awaitable[Any]:
        if value is None:
            self._table.data.pop(key, None)
        else:
            self._table.data[key] = value
        sent: Awaitable[Any] = self._table.send_changelog(int(key.partition(b"/")[0]), key, value, "raw", "raw")
        return sent

    async def _fold(self, stream: Any) -> None:
        async for event in stream.noack().events():
            message = event.message
            self._held.append(event)
            self._take(
                Taken(
                    topic=self._names[message.topic],
                    partition=message.partition,
                    offset=message.offset,
                    headers=message.headers or (),
                    value=message.value,
                    at_ms=round((message.timestamp or 0) * 1000),
                )
            )

    async def _on_revoked(self, *_: Any, **__: Any) -> None:
        self._held = []
        self._generation += 1
        self._lost()

    async def _on_recover(self) -> None:
        held = {where.partition for where in self._app.consumer.assignment()}
        self._restored(
            {key: raw for key, raw in self._table.data.items() if raw and int(key.partition(b"/")[0]) in held}
        )

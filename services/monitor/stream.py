"""Reads with Faust: both topics into one agent, and a table whose changelog holds what was folded.

Faust acknowledges a record when its agent has seen it, whatever became of it. Here nothing is acknowledged before the
activities that it changed are in the changelog; a record that comes again is behind the offset in its activity.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

from events.topics import ACTIVITY_TOPIC, COMMANDS_TOPIC, EVENTS_TOPIC
from services.kit.settings import KafkaSettings, MonitorSettings
from services.monitor.app import TABLE, make_app
from services.monitor.intake import COMMANDS, EVENTS, Taken
from services.monitor.ledger import Place, Writing
from services.monitor.progress import Source

SEND_S = 15.0
ASK_S = 3.0
STOP_S = 8.0
# So many records may wait for a save; then no more is read until there has been one.
MAX_HELD = 20_000

Values = Mapping[bytes, bytes | None]


class Stream:
    """The two topics as they come, and the changelog that follows them."""

    def __init__(
        self,
        kafka: KafkaSettings,
        monitor: MonitorSettings,
        partitions: int,
        *,
        take: Callable[[Taken], Place | None],
        lost: Callable[[], None],
        restored: Callable[[Mapping[bytes, bytes]], None],
    ) -> None:
        """`take` gets each record and says what it changed.

        `restored` gets what was saved once it is read back, `lost` is called when others may own it.
        """
        self._names = {COMMANDS_TOPIC.name(kafka.topic_prefix): COMMANDS, EVENTS_TOPIC.name(kafka.topic_prefix): EVENTS}
        self._activity_topic = ACTIVITY_TOPIC.name(kafka.topic_prefix)
        self._take, self._lost, self._restored = take, lost, restored
        self._held: list[tuple[Place | None, Any]] = []
        self._has_room = asyncio.Event()
        self._generation = 0
        self._app = make_app(kafka, kafka.group("monitor", monitor.group_id), monitor.instance_id)
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

    async def save(self, writings: Sequence[Writing]) -> dict[Place, BaseException]:
        """Write to the changelog, then acknowledge what was taken before. Return what could not be written, and why.

        What was taken of an environment that could not be written is held until it can. Raises TimeoutError for all.
        """
        held, generation = self._held, self._generation
        self._held = []
        failed: dict[Place, BaseException] = {}
        try:
            async with asyncio.timeout(SEND_S):
                for values in (_minutes, _head, _dropped):
                    sound = {each.place: values(each) for each in writings if each.place not in failed}
                    failed |= await self._send_all(sound)
                    # What was taken before a rebalance comes again, and is folded again on top of what was restored.
                    if generation != self._generation:
                        return failed
        except BaseException:
            if generation == self._generation:
                self._held = held + self._held
            raise
        for place, event in held:
            if place not in failed:
                event.ack()
        self._held = [each for each in held if each[0] in failed] + self._held
        self._has_room.set()
        return failed

    async def tell(self, key: bytes, value: bytes, headers: Iterable[tuple[str, bytes]]) -> None:
        """Write to the activity topic. Raises what Kafka did, or TimeoutError."""
        async with asyncio.timeout(SEND_S):
            await self._app.producer.send_and_wait(
                self._activity_topic, key, value, partition=None, timestamp=None, headers=list(headers)
            )

    async def _send_all(self, wanted: Mapping[Place, Values]) -> dict[Place, BaseException]:
        """Write values of environments; return which of these could not be written."""
        places = [place for place, values in wanted.items() for _ in values]
        sent = [self._send(key, value) for values in wanted.values() for key, value in values.items()]
        ends = await asyncio.gather(*sent, return_exceptions=True)
        return {place: end for place, end in zip(places, ends, strict=True) if isinstance(end, BaseException)}

    def _send(self, key: bytes, value: bytes | None) -> Awaitable[Any]:
        if value is None:
            self._table.data.pop(key, None)
        else:
            self._table.data[key] = value
        sent: Awaitable[Any] = self._table.send_changelog(int(key.partition(b"/")[0]), key, value, "raw", "raw")
        return sent

    async def _fold(self, stream: Any) -> None:
        async for event in stream.noack().events():
            generation = self._generation
            await self._room()
            if generation != self._generation:
                continue  # it was waiting when the partitions changed hands, and comes again
            self._held.append((self._take(self._taken(event.message)), event))

    async def _room(self) -> None:
        """Wait while too much is held. Faust's own queues fill up then, and nothing more is fetched."""
        while len(self._held) >= MAX_HELD:
            self._has_room.clear()
            await self._has_room.wait()

    def _taken(self, message: Any) -> Taken:
        return Taken(
            topic=self._names[message.topic],
            partition=message.partition,
            offset=message.offset,
            headers=message.headers or (),
            value=message.value,
            at_ms=round((message.timestamp or 0) * 1000),
        )

    async def _on_revoked(self, *_: Any, **__: Any) -> None:
        self._held = []
        self._generation += 1
        self._lost()
        self._has_room.set()

    async def _on_recover(self) -> None:
        held = {where.partition for where in self._app.consumer.assignment()}
        self._restored(
            {key: raw for key, raw in self._table.data.items() if raw and int(key.partition(b"/")[0]) in held}
        )


def _minutes(writing: Writing) -> Values:
    return writing.minutes


def _head(writing: Writing) -> Values:
    return writing.head


def _dropped(writing: Writing) -> Values:
    return writing.dropped

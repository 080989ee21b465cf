"""Consumers of the simulated broker, with the ways of aiokafka's."""

import asyncio
import contextlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaConnectionError, KafkaError, UnknownMemberIdError

from tests.simulation.broker import Broker
from tests.simulation.clock import Process
from tests.simulation.log import Entry
from tests.simulation.network import Network

Answer = TypeVar("Answer")
REQUEST_S = 15.0
RETRY_S = 0.1
FETCH_WAIT_S = 0.1
MAX_FETCH = 500


def unreadable() -> UnicodeDecodeError:
    """Return a new one each time: one that is raised again keeps the frames of every time, and all that they hold."""
    return UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")


class Calls:
    """How a client of one process asks the broker."""

    def __init__(self, network: Network, broker: Broker, process: Process | None) -> None:
        self.network = network
        self.broker = broker
        self.process = process

    async def __call__(self, name: str, serve: Callable[[], Answer]) -> Answer:
        """Ask once. Raises what the broker refuses with, or KafkaConnectionError when no answer came."""
        return await self.network.call(self.process, name, serve, KafkaConnectionError, REQUEST_S)

    async def until_told(self, name: str, serve: Callable[[], Answer], retried: type[KafkaError]) -> Answer:
        """Ask over and over, as the client's own tasks do."""
        while True:
            try:
                return await self(name, serve)
            except (KafkaConnectionError, retried) as error:
                await asyncio.sleep(0.02 if isinstance(error, retried) else RETRY_S)

    def tell(self, what: str) -> None:
        self.network.tell(self.process.name if self.process else "-", what)


class Reader:
    """A consumer whose owner assigns and seeks."""

    def __init__(self, calls: Calls) -> None:
        self._call = calls
        self._positions: dict[TopicPartition, int] = {}
        self._paused: set[TopicPartition] = set()
        self._news = asyncio.Event()

    async def start(self) -> None:
        await self._call("start a reader", lambda: None)

    async def stop(self) -> None:
        self._watch(())

    def assign(self, partitions: Iterable[TopicPartition]) -> None:
        self._place({where: self._call.broker.logs[where].last_stable for where in partitions})

    def assignment(self) -> Collection[TopicPartition]:
        return tuple(self._positions)

    def pause(self, *partitions: TopicPartition) -> None:
        self._paused.update(partitions)

    def resume(self, *partitions: TopicPartition) -> None:
        self._paused.difference_update(partitions)
        self._news.set()

    def seek(self, partition: TopicPartition, offset: int) -> None:
        if partition not in self._positions:
            raise IllegalStateError(f"{partition} is not assigned")
        self._positions[partition] = offset
        self._news.set()

    def partitions_for_topic(self, topic: str) -> Collection[int]:
        return range(self._call.broker.partitions)

    def highwater(self, partition: TopicPartition) -> int | None:
        return self._call.broker.logs[partition].high_watermark

    async def position(self, partition: TopicPartition) -> int:
        if partition not in self._positions:
            raise IllegalStateError(f"{partition} is not assigned")
        return self._positions[partition]

    async def beginning_offsets(self, partitions: Iterable[TopicPartition]) -> Mapping[TopicPartition, int]:
        wanted = list(partitions)
        return await self._call("log starts", lambda: dict.fromkeys(wanted, 0))

    async def end_offsets(self, partitions: Iterable[TopicPartition]) -> Mapping[TopicPartition, int]:
        wanted, logs = list(partitions), self._call.broker.logs
        return await self._call("log ends", lambda: {where: logs[where].last_stable for where in wanted})

    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int = 0, max_records: int | None = None
    ) -> Mapping[TopicPartition, Sequence[ConsumerRecord]]:
        until = asyncio.get_running_loop().time() + timeout_ms / 1000
        while True:
            self._news.clear()
            found = await self._fetch(partitions, max_records or MAX_FETCH)
            left = until - asyncio.get_running_loop().time()
            if found or left <= 0:
                return found
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._news.wait()

    def _place(self, positions: dict[TopicPartition, int]) -> None:
        self._positions = positions
        self._paused.clear()
        self._watch(positions)
        self._news.set()

    def _watch(self, partitions: Iterable[TopicPartition]) -> None:
        wanted = set(partitions)
        for where, log in self._call.broker.logs.items():
            if self._news.set in log.watchers:
                log.watchers.remove(self._news.set)
            if where in wanted:
                log.watchers.append(self._news.set)

    async def _fetch(
        self, partitions: Sequence[TopicPartition], limit: int
    ) -> Mapping[TopicPartition, Sequence[ConsumerRecord]]:
        """Fetch what is there; whoever was given other partitions meanwhile gets nothing of the old ones."""
        wanted = {
            where: position
            for where, position in self._positions.items()
            if where not in self._paused and where in (partitions or self._positions)
        }
        logs, before = self._call.broker.logs, self._positions
        if all(position >= logs[where].last_stable for where, position in wanted.items()):
            return {}
        try:
            found = await self._call("fetch", lambda: self._read(wanted, limit))
        except KafkaConnectionError:
            return {}
        if self._positions is not before:
            return {}
        batches: dict[TopicPartition, list[ConsumerRecord]] = {}
        for where, (entries, next_position) in found.items():
            if any(entry.payload and entry.payload.is_unreadable for entry in entries):
                _refuse_unreadable(self._positions, where, entries, limit)
            if entries:
                batches[where] = [record_of(where, entry) for entry in entries]
            self._positions[where] = next_position
        return batches

    def _read(self, wanted: Mapping[TopicPartition, int], limit: int) -> dict[TopicPartition, tuple[list[Entry], int]]:
        found, left = {}, limit
        for where, position in wanted.items():
            if left > 0:
                entries, next_position = self._call.broker.logs[where].read(position, left)
                left -= len(entries)
                found[where] = (entries, next_position)
        return found


class GroupConsumer(Reader):
    """A member of a group, with a task of its own that joins, beats and tells the listener of rebalances."""

    def __init__(self, calls: Calls, group_id: str, options: Mapping[str, Any]) -> None:
        super().__init__(calls)
        self._group_id = group_id
        self._session_s = options["session_timeout_ms"] / 1000
        self._beat_s = options["heartbeat_interval_ms"] / 1000
        self._ready = asyncio.Event()
        self._member: int | None = None
        self._generation = -1
        self._task: asyncio.Task[None] | None = None

    def subscribe(self, topics: Iterable[str], *, listener: Any) -> None:
        (self._topic,) = topics
        self._listener = listener

    async def start(self) -> None:
        await self._call("start a consumer", lambda: None)
        self._task = asyncio.create_task(self._take_part())
        if self._call.process is not None:
            self._call.process.adopt(self._task)

    async def stop(self) -> None:
        await super().stop()
        if self._task is None:
            return
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        member = self._member
        if member is not None:
            with contextlib.suppress(KafkaError):
                await self._call("leave", lambda: self._group.leave(member))

    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int = 0, max_records: int | None = None
    ) -> Mapping[TopicPartition, Sequence[ConsumerRecord]]:
        await self._ready.wait()  # for the whole of a rebalance, whatever `timeout_ms` says
        return await super().getmany(*partitions, timeout_ms=timeout_ms, max_records=max_records)

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        member, generation, wanted = self._member or 0, self._generation, dict(offsets)
        await self._call("commit", lambda: self._group.commit(member, generation, wanted))

    async def committed(self, partition: TopicPartition) -> int | None:
        return await self._call("committed", lambda: self._group.committed.get(partition))

    @property
    def _group(self) -> Any:
        return self._call.broker.group(self._group_id, self._topic)

    async def _take_part(self) -> None:
        while True:
            self._ready.clear()
            await self._listener.on_partitions_revoked(self.assignment())
            try:
                await self._join()
            except (KafkaConnectionError, UnknownMemberIdError):
                await asyncio.sleep(RETRY_S)
                continue
            await self._listener.on_partitions_assigned(self.assignment())
            self._ready.set()
            await self._beat()

    async def _join(self) -> None:
        known = self._member
        self._member, ticket = await self._call("join", lambda: self._group.join(known, self._session_s))
        await asyncio.shield(ticket)
        member = self._member
        self._generation, share = await self._call("sync", lambda: self._group.share(member))
        committed = self._group.committed
        self._place({where: committed.get(where, 0) for where in share})
        self._call.tell(f"assigned {[where.partition for where in share]} in generation {self._generation}")

    async def _beat(self) -> None:
        member, generation = self._member, self._generation
        while True:
            await asyncio.sleep(self._beat_s)
            try:
                if not await self._call("heartbeat", lambda: self._group.beat(member, generation)):
                    return
            except KafkaConnectionError:
                continue
            except UnknownMemberIdError:
                self._member = None
                return


def _refuse_unreadable(
    positions: dict[TopicPartition, int], where: TopicPartition, entries: Sequence[Entry], limit: int
) -> None:
    """Raise as aiokafka does while it unpacks; read alone, the position stands at the record."""
    if limit == 1:
        positions[where] = entries[0].offset
    raise unreadable()


def record_of(where: TopicPartition, entry: Entry) -> ConsumerRecord:
    """Return an entry as a consumer gives it."""
    payload = entry.payload
    if payload is None:
        raise ValueError("a marker is no record")
    return ConsumerRecord(
        where.topic,
        where.partition,
        entry.offset,
        payload.timestamp,
        0,
        payload.key,
        payload.value,
        None,
        0,
        0,
        tuple(payload.headers),
    )

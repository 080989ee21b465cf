"""What the loops rely on of Kafka."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError

from services.kit.clients import Consumer, GroupConsumer
from services.kit.stopping import stop_client
from tests.simulation.contract.conftest import PARTITIONS, Edges
from tests.support.services import eventually

WITHIN_S = 30.0


@contextlib.asynccontextmanager
async def reading(edges: Edges, where: TopicPartition, offset: int = 0) -> AsyncIterator[Consumer]:
    reader = edges.clients.reader()
    await reader.start()
    try:
        reader.assign([where])
        reader.seek(where, offset)
        yield reader
    finally:
        await stop_client(reader)


@contextlib.asynccontextmanager
async def producing(edges: Edges, name: str) -> AsyncIterator[Any]:
    producer: Any = edges.clients.transactional_producer(name)
    await producer.start()
    try:
        yield producer
    finally:
        await stop_client(producer)


async def send(producer: Any, where: TopicPartition, *values: bytes) -> None:
    """Have the records of an open transaction on the broker."""
    for value in values:
        await producer.send(where.topic, value, key=b"k", headers=[], partition=where.partition)
    await producer.flush()


async def read(reader: Consumer, where: TopicPartition, enough: int) -> list[tuple[int, bytes | None]]:
    """Return the offsets and values of what is read, until there are `enough` of them."""
    found: list[tuple[int, bytes | None]] = []
    async with asyncio.timeout(WITHIN_S):
        while len(found) < enough:
            batches = await reader.getmany(where, timeout_ms=200)
            found += [(record.offset, record.value) for record in batches.get(where, ())]
    return found


async def end_is(reader: Consumer, where: TopicPartition, expected: int) -> None:
    async def it_is() -> bool:
        return (await reader.end_offsets([where]))[where] == expected

    await eventually(it_is)


async def test_records_are_read_in_the_order_in_which_they_were_written(edges: Edges) -> None:
    where = edges.command_partition(1)
    offsets = [await edges.put(1, value) for value in (b"a", b"b", b"c")]
    async with reading(edges, where) as reader:
        assert await read(reader, where, 3) == list(zip(offsets, (b"a", b"b", b"c"), strict=True))
        assert await reader.position(where) == 3


async def test_reading_takes_no_more_records_than_asked_for(edges: Edges) -> None:
    where = edges.command_partition(0)
    for value in (b"a", b"b", b"c"):
        await edges.put(0, value)
    async with reading(edges, where) as reader:
        async with asyncio.timeout(WITHIN_S):
            while not (found := await reader.getmany(where, timeout_ms=200, max_records=2)):
                pass
        assert [record.value for record in found[where]] == [b"a", b"b"]
        assert await reader.position(where) == 2


async def test_reading_an_empty_partition_gives_nothing_in_time(edges: Edges) -> None:
    async with reading(edges, edges.command_partition(0)) as reader:
        assert not await reader.getmany(timeout_ms=50)


async def test_a_partition_that_is_not_assigned_cannot_be_sought(edges: Edges) -> None:
    async with reading(edges, edges.command_partition(0)) as reader:
        with pytest.raises(IllegalStateError):
            reader.seek(edges.command_partition(1), 0)


async def test_the_marker_of_a_transaction_takes_an_offset_that_reading_passes(edges: Edges) -> None:
    where = edges.event_partition(0)
    async with producing(edges, "marker") as producer, reading(edges, where) as reader:
        for value in (b"a", b"b"):
            await producer.begin_transaction()
            await send(producer, where, value)
            await producer.commit_transaction()
        assert await read(reader, where, 2) == [(0, b"a"), (2, b"b")]
        await end_is(reader, where, 4)
        assert not await reader.getmany(timeout_ms=300)
        assert await reader.position(where) == 4


async def test_an_open_transaction_holds_back_what_was_written_behind_it(edges: Edges) -> None:
    where = edges.command_partition(2)
    async with producing(edges, "open") as producer, reading(edges, where) as reader:
        await edges.put(2, b"before")
        await producer.begin_transaction()
        await send(producer, where, b"inside")
        await edges.put(2, b"behind")
        await end_is(reader, where, 1)
        assert await read(reader, where, 1) == [(0, b"before")]
        await producer.commit_transaction()
        assert await read(reader, where, 2) == [(1, b"inside"), (2, b"behind")]


async def test_a_producer_that_starts_fences_the_one_before_and_aborts_what_it_had_open(edges: Edges) -> None:
    where = edges.event_partition(3)
    async with producing(edges, "fenced") as old, reading(edges, where) as reader:
        await old.begin_transaction()
        await send(old, where, b"never")
        async with producing(edges, "fenced") as new:
            assert (await reader.end_offsets([where]))[where] == 2
            with pytest.raises(KafkaError):
                await old.commit_transaction()
            await new.begin_transaction()
            await send(new, where, b"once")
            await new.commit_transaction()
            assert await read(reader, where, 1) == [(2, b"once")]


async def test_what_is_committed_is_at_the_end_once_the_next_producer_has_started(edges: Edges) -> None:
    where = edges.event_partition(0)
    async with producing(edges, "next") as old:
        await old.begin_transaction()
        await send(old, where, b"a")
        await old.commit_transaction()
    async with producing(edges, "next"), reading(edges, where) as reader:
        assert (await reader.end_offsets([where]))[where] == 2
        assert (await reader.beginning_offsets([where]))[where] == 0


class Told(ConsumerRebalanceListener):  # type: ignore[misc]
    """What a member was told of rebalances."""

    def __init__(self) -> None:
        self.assigned: list[TopicPartition] = []

    async def on_partitions_revoked(self, revoked: Any) -> None:
        self.assigned = []

    async def on_partitions_assigned(self, assigned: Any) -> None:
        self.assigned = sorted(assigned)


@contextlib.asynccontextmanager
async def member(edges: Edges) -> AsyncIterator[tuple[GroupConsumer, Told]]:
    consumer = edges.clients.group_consumer(
        f"{edges.commands}.group", session_timeout_ms=6_000, heartbeat_interval_ms=200
    )
    told = Told()
    consumer.subscribe([edges.commands], listener=told)
    await consumer.start()
    try:
        yield consumer, told
    finally:
        await stop_client(consumer)


async def test_members_share_the_partitions_and_get_those_of_one_that_leaves(edges: Edges) -> None:
    everything = [edges.command_partition(each) for each in range(PARTITIONS)]
    async with member(edges) as (_, first):
        async with member(edges) as (_, second):
            await eventually(lambda: sorted(first.assigned + second.assigned) == everything and bool(second.assigned))
            assert first.assigned
        await eventually(lambda: first.assigned == everything)


async def test_a_group_goes_on_from_what_was_committed(edges: Edges) -> None:
    where = edges.command_partition(0)
    for value in (b"a", b"b"):
        await edges.put(0, value)
    async with member(edges) as (consumer, _):
        assert await read(consumer, where, 2) == [(0, b"a"), (1, b"b")]
        await consumer.commit({where: 1})
    async with member(edges) as (consumer, _):
        assert await read(consumer, where, 1) == [(1, b"b")]


async def test_what_was_committed_is_told_and_nothing_before(edges: Edges) -> None:
    where = edges.command_partition(0)
    async with member(edges) as (consumer, told):
        await eventually(lambda: where in told.assigned)
        assert await consumer.committed(where) is None
        await consumer.commit({where: 1})
        assert await consumer.committed(where) == 1


async def test_a_paused_partition_gives_nothing_until_it_is_resumed(edges: Edges) -> None:
    where = edges.command_partition(0)
    await edges.put(0, b"a")
    async with reading(edges, where) as reader:
        reader.pause(where)
        assert not await reader.getmany(timeout_ms=300)
        reader.resume(where)
        assert await read(reader, where, 1) == [(0, b"a")]


async def test_a_topic_keeps_its_id(edges: Edges) -> None:
    ids = [await edges.clients.topic_id(topic) for topic in (edges.commands, edges.events, edges.commands)]
    assert ids[0] == ids[2] != ids[1]
    assert await edges.clients.count_partitions(edges.commands) == PARTITIONS

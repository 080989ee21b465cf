"""Publishing commands: acknowledged is durable, and an unknown outcome is called unknown."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import OutOfOrderSequenceNumber

from events.codec import decode_command, read_attributes
from events.commands import PipelineRequested, StepRequested
from events.envelope import Command
from events.refusals import Code, Refused
from events.topics import COMMANDS_TOPIC, MIB
from pipeloom.local.ports import HOST, pick_port
from services.kit import commands
from services.kit.commands import PART, CommandPublisher, NotSent
from services.kit.health import Health
from services.kit.kafka import idempotent_producer, reader
from services.kit.partitions import partition_of
from services.kit.patience import Patience
from services.kit.process import running
from services.kit.settings import KafkaSettings, Settings
from tests.support.installation import command
from tests.support.services import eventually

SOON_S = 5.0


@asynccontextmanager
async def publishing(
    kafka: KafkaSettings, *, deadline_s: float = 8.0, max_in_flight: int = 100
) -> AsyncIterator[tuple[CommandPublisher, Health]]:
    """Run a publisher inside the block."""
    health = Health()
    publisher = CommandPublisher(kafka, health, acknowledge_timeout_s=deadline_s, max_in_flight=max_in_flight)
    async with running(publisher.run()):
        yield publisher, health


def asked(name: str = "churn") -> Command:
    return command("lab", PipelineRequested(pipeline_name=name, step_names=["train"]))


async def refusal(publisher: CommandPublisher, sent: Command) -> Refused:
    with pytest.raises(Refused) as caught:
        await publisher.publish(sent)
    return caught.value


async def on_topic(kafka: KafkaSettings) -> list[tuple[int, Command]]:
    """Return the commands on the topic, with their partitions."""
    topic = COMMANDS_TOPIC.name(kafka.topic_prefix)
    partitions = [TopicPartition(topic, number) for number in range(kafka.partitions)]
    consumer = reader(kafka)
    await consumer.start()
    found = []
    try:
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        ends = await consumer.end_offsets(partitions)
        while any([await consumer.position(each) < ends[each] for each in partitions]):
            for records in (await consumer.getmany(timeout_ms=100)).values():
                found += [(record.partition, _decoded(record)) for record in records]
    finally:
        await consumer.stop()
    return found


def _decoded(record: Any) -> Command:
    return decode_command(read_attributes(record.headers), record.value, datetime.now(UTC))


@pytest.fixture
def acknowledge(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Keep every acknowledgement back until this is set; the records themselves are written."""
    released = asyncio.Event()

    def producer(kafka: KafkaSettings) -> AIOKafkaProducer:
        made = idempotent_producer(kafka)
        send_and_wait = made.send_and_wait

        async def late(*arguments: Any, **options: Any) -> Any:
            metadata = await send_and_wait(*arguments, **options)
            await released.wait()
            return metadata

        made.send_and_wait = late
        return made

    monkeypatch.setattr(commands, "idempotent_producer", producer)
    return released


async def test_a_published_command_is_on_its_environments_partition(installation: Settings) -> None:
    sent = asked()
    async with publishing(installation.kafka) as (publisher, health):
        await eventually(lambda: health.is_well(PART))
        await publisher.publish(sent)
    assert await on_topic(installation.kafka) == [(partition_of("lab", 4), sent)]


async def test_commands_of_one_environment_keep_their_order(installation: Settings) -> None:
    sent = [asked(f"p{number}") for number in range(50)]
    async with publishing(installation.kafka) as (publisher, health):
        await eventually(lambda: health.is_well(PART))
        await asyncio.gather(*(publisher.publish(each) for each in sent))
    assert [found for _, found in await on_topic(installation.kafka)] == sent


async def test_before_kafka_is_reached_a_command_is_refused_at_once(installation: Settings) -> None:
    kafka = installation.kafka.model_copy(update={"bootstrap_servers": f"{HOST}:{pick_port()}"})
    sent = asked()
    async with publishing(kafka) as (publisher, health):
        await eventually(lambda: "cannot be reached" in str(health.troubles[PART]))
        started = time.monotonic()
        refused = await refusal(publisher, sent)
        assert time.monotonic() - started < 1
    assert (refused.code, refused.details) == (Code.KAFKA_UNAVAILABLE, {"command_id": str(sent.id)})
    assert "nothing was sent" in refused.message
    assert isinstance(refused, NotSent)


async def test_a_kafka_that_accepts_and_never_answers_does_not_hold_a_command(installation: Settings) -> None:
    async with tcp_server(_hold) as port:
        kafka = installation.kafka.model_copy(update={"bootstrap_servers": f"{HOST}:{port}"})
        async with asyncio.timeout(SOON_S), publishing(kafka) as (publisher, _):
            assert (await refusal(publisher, asked())).code is Code.KAFKA_UNAVAILABLE


async def test_a_kafka_that_comes_back_is_used_without_a_restart(installation: Settings) -> None:
    # Given: the address that is asked first is dead. (A broker then tells its own address: the gate is open or shut
    # for the first connection only.)
    port, sent = pick_port(), asked()
    kafka = installation.kafka.model_copy(update={"bootstrap_servers": f"{HOST}:{port}"})
    async with publishing(kafka) as (publisher, health):
        await eventually(lambda: "cannot be reached" in str(health.troubles[PART]))
        assert (await refusal(publisher, asked("refused"))).code is Code.KAFKA_UNAVAILABLE
        # When
        async with tcp_server(_forward_to(installation.kafka.bootstrap_servers), port):
            await eventually(lambda: health.is_well(PART))
            await publisher.publish(sent)
    # Then
    assert [found for _, found in await on_topic(installation.kafka)] == [sent]


async def test_without_an_acknowledgement_in_time_the_outcome_is_told_as_unknown(
    installation: Settings, acknowledge: asyncio.Event
) -> None:
    sent = asked()
    async with publishing(installation.kafka, deadline_s=0.2) as (publisher, health):
        await eventually(lambda: health.is_well(PART))
        refused = await refusal(publisher, sent)
        assert not health.is_ready
        acknowledge.set()
    assert (refused.code, refused.details) == (Code.KAFKA_UNAVAILABLE, {"command_id": str(sent.id)})
    assert "it may still take effect" in refused.message
    assert not isinstance(refused, NotSent)
    assert [found for _, found in await on_topic(installation.kafka)] == [sent]


async def test_a_client_in_a_hurry_is_answered_in_its_time_and_says_nothing_of_kafka(
    installation: Settings, acknowledge: asyncio.Event
) -> None:
    async with publishing(installation.kafka) as (publisher, health):
        await eventually(lambda: health.is_well(PART))
        with pytest.raises(Refused, match="it may still take effect"):
            await asyncio.wait_for(publisher.publish(asked(), Patience(0.1)), 1)
        assert health.is_ready
        acknowledge.set()


async def test_a_late_acknowledgement_makes_the_process_ready_again(
    installation: Settings, acknowledge: asyncio.Event
) -> None:
    async with publishing(installation.kafka, deadline_s=0.2) as (publisher, health):
        await eventually(lambda: health.is_well(PART))
        await refusal(publisher, asked())
        acknowledge.set()
        await eventually(lambda: health.is_ready, 1)


async def test_more_commands_than_fit_are_refused_unsent_until_there_is_room(
    installation: Settings, acknowledge: asyncio.Event
) -> None:
    held, third, fourth = [asked("one"), asked("two")], asked("three"), asked("four")
    async with publishing(installation.kafka, max_in_flight=2) as (publisher, health):
        # Given
        await eventually(lambda: health.is_well(PART))
        under_way = asyncio.gather(*(publisher.publish(each) for each in held))
        await eventually(lambda: len(publisher._under_way) == 2)
        # When
        refused = await refusal(publisher, third)
        acknowledge.set()
        await asyncio.wait_for(under_way, SOON_S)
        await publisher.publish(fourth)
    # Then
    assert (refused.code, refused.details) == (Code.OVERLOADED, {})
    assert isinstance(refused, NotSent)
    assert [found for _, found in await on_topic(installation.kafka)] == [*held, fourth]


async def test_a_client_that_goes_away_leaves_its_command_under_way(
    installation: Settings, acknowledge: asyncio.Event
) -> None:
    sent = asked()
    async with publishing(installation.kafka) as (publisher, health):
        await eventually(lambda: health.is_well(PART))
        request = asyncio.create_task(publisher.publish(sent))
        await eventually(lambda: bool(publisher._under_way))
        request.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await request
        assert len(publisher._under_way) == 1
        acknowledge.set()
        await eventually(lambda: not publisher._under_way)
    assert [found for _, found in await on_topic(installation.kafka)] == [sent]


async def test_a_producer_that_breaks_is_replaced(installation: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given: the first producer breaks at its first record.
    made: list[AIOKafkaProducer] = []

    def producer(kafka: KafkaSettings) -> AIOKafkaProducer:
        made.append(idempotent_producer(kafka))
        if len(made) == 1:
            made[0].send_and_wait = _broken
        return made[-1]

    monkeypatch.setattr(commands, "idempotent_producer", producer)
    sent = asked()
    async with publishing(installation.kafka) as (publisher, health):
        await eventually(lambda: health.is_well(PART))
        # When
        refused = await refusal(publisher, asked("lost"))
        await eventually(lambda: len(made) == 2 and health.is_well(PART))
        await publisher.publish(sent)
    # Then
    assert (refused.code, "it may still take effect" in refused.message) == (Code.KAFKA_UNAVAILABLE, True)
    assert [found for _, found in await on_topic(installation.kafka)] == [sent]


async def _broken(*_: Any, **__: Any) -> Any:
    raise OutOfOrderSequenceNumber


@pytest.mark.parametrize("size", [2 * MIB, COMMANDS_TOPIC.max_message_bytes, COMMANDS_TOPIC.max_message_bytes - 400])
async def test_a_command_that_is_too_large_is_refused_and_does_no_harm_to_others(
    installation: Settings, size: int
) -> None:
    large = command(
        "lab",
        StepRequested(step_name="s", function_path="a", function_name="f", container_config={"x": "a" * size}),
    )
    sent = asked()
    async with publishing(installation.kafka) as (publisher, health):
        await eventually(lambda: health.is_well(PART))
        refused = await refusal(publisher, large)
        assert health.is_ready
        await publisher.publish(sent)
    assert refused.code is Code.PAYLOAD_TOO_LARGE
    assert isinstance(refused, NotSent)
    assert [found for _, found in await on_topic(installation.kafka)] == [sent]


async def test_leaving_does_not_wait_for_an_acknowledgement_that_never_comes(
    installation: Settings, acknowledge: asyncio.Event
) -> None:
    async with asyncio.timeout(2 * SOON_S):
        async with publishing(installation.kafka, deadline_s=60) as (publisher, health):
            await eventually(lambda: health.is_well(PART))
            request = asyncio.create_task(publisher.publish(asked()))
            await eventually(lambda: bool(publisher._under_way))
        with pytest.raises(asyncio.CancelledError):
            await request
    assert not publisher._under_way


Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any]


@asynccontextmanager
async def tcp_server(handler: Handler, port: int = 0) -> AsyncIterator[int]:
    """Serve connections inside the block; close them all at its end."""
    writers: list[asyncio.StreamWriter] = []

    async def serve(incoming: asyncio.StreamReader, outgoing: asyncio.StreamWriter) -> None:
        writers.append(outgoing)
        with contextlib.suppress(ConnectionError):
            await handler(incoming, outgoing)
        outgoing.close()

    server = await asyncio.start_server(serve, HOST, port)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in writers:
            writer.close()
        await server.wait_closed()


async def _hold(incoming: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    while await incoming.read(65536):
        pass


def _forward_to(address: str) -> Handler:
    host, _, port = address.partition(":")

    async def forward(incoming: asyncio.StreamReader, outgoing: asyncio.StreamWriter) -> None:
        answers, questions = await asyncio.open_connection(host, int(port))
        try:
            await asyncio.gather(_pump(incoming, questions), _pump(answers, outgoing))
        finally:
            questions.close()

    return forward


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while data := await source.read(65536):
        sink.write(data)
        await sink.drain()
    sink.close()

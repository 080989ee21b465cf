"""The embedded broker: kept data and port, killed, cancelled, and with a broken archive."""

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from pipeloom.local import kafka as kafka_module
from pipeloom.local import kafka_training, locks
from pipeloom.local.errors import DataDirInUseError, EndedEarlyError, StartError
from pipeloom.local.kafka import EmbeddedKafka
from pipeloom.local.kafka_probe import answers
from pipeloom.local.ports import HOST, pick_port
from pipeloom.local.progress import SILENT

Alive = Callable[[int], bool]


@pytest.fixture
async def kafka(tmp_path: Path) -> AsyncIterator[EmbeddedKafka]:
    broker = EmbeddedKafka(tmp_path / "kafka")
    await broker.start()
    yield broker
    await broker.stop()


async def write(kafka: EmbeddedKafka, value: bytes) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap_servers, enable_idempotence=True)
    async with asyncio.timeout(20):
        await producer.start()
        try:
            await producer.send_and_wait("kept", value, partition=0)
        finally:
            await producer.stop()


async def create_topic(kafka: EmbeddedKafka) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
    async with asyncio.timeout(20):
        await admin.start()
        try:
            await admin.create_topics([NewTopic("kept", num_partitions=1, replication_factor=1)])
        finally:
            await admin.close()


async def read(kafka: EmbeddedKafka, count: int) -> list[bytes | None]:
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka.bootstrap_servers, auto_offset_reset="earliest")
    async with asyncio.timeout(20):
        await consumer.start()
        try:
            consumer.assign([TopicPartition("kept", 0)])
            return [(await consumer.getone()).value for _ in range(count)]
        finally:
            await consumer.stop()


async def test_a_killed_broker_comes_back_on_the_same_port_with_its_records(kafka: EmbeddedKafka) -> None:
    address = kafka.bootstrap_servers
    await create_topic(kafka)
    await write(kafka, b"before")

    os.kill(kafka.pid, signal.SIGKILL)
    assert await asyncio.wait_for(kafka.wait(), 10) == -signal.SIGKILL
    await asyncio.wait_for(kafka.start(), 20)
    await write(kafka, b"after")

    assert kafka.bootstrap_servers == address
    assert await read(kafka, 2) == [b"before", b"after"]


async def test_a_folder_keeps_its_port_until_another_program_takes_it(tmp_path: Path) -> None:
    first = EmbeddedKafka(tmp_path / "kafka")
    await first.start()
    await create_topic(first)
    await write(first, b"kept")
    await first.stop()

    second = EmbeddedKafka(tmp_path / "kafka")
    await second.start()
    await second.stop()
    assert second.bootstrap_servers == first.bootstrap_servers

    third = EmbeddedKafka(tmp_path / "kafka")
    with socket.create_server((HOST, int(first.bootstrap_servers.split(":")[1]))):
        await third.start()
    assert third.bootstrap_servers != first.bootstrap_servers
    assert await read(third, 1) == [b"kept"]
    await third.stop()


async def test_a_cancelled_start_leaves_no_broker(
    tmp_path: Path, alive: Alive, monkeypatch: pytest.MonkeyPatch
) -> None:
    spawned = asyncio.Event()

    async def never(bootstrap_servers: str) -> bool:
        spawned.set()
        return False

    monkeypatch.setattr(kafka_module, "answers", never)
    broker = EmbeddedKafka(tmp_path / "kafka")
    starting = asyncio.create_task(broker.start(SILENT))
    await asyncio.wait_for(spawned.wait(), 20)
    assert alive(broker.pid)

    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting

    assert not alive(broker.pid)
    assert not [child for child in psutil.Process().children() if str(tmp_path) in " ".join(child.cmdline())]


async def test_a_port_on_which_the_broker_never_got_ready_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(bootstrap_servers: str) -> bool:
        raise StartError("it does not get ready")

    monkeypatch.setattr(kafka_module, "answers", refuse)

    with pytest.raises(StartError, match="it does not get ready"):
        await EmbeddedKafka(tmp_path / "kafka", port=pick_port()).start(SILENT)

    assert not list((tmp_path / "kafka").glob("*port"))


async def test_a_second_broker_on_the_same_folder_is_refused_before_it_touches_anything(
    kafka: EmbeddedKafka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "_PREDECESSOR_PATIENCE", 0.2)
    await create_topic(kafka)

    with pytest.raises(DataDirInUseError, match="in use by another Kafka"):
        await EmbeddedKafka(tmp_path / "kafka").start()

    await write(kafka, b"unharmed")
    assert await read(kafka, 1) == [b"unharmed"]


async def test_a_broker_that_cannot_start_says_why(tmp_path: Path) -> None:
    data = tmp_path / "kafka" / "data"
    data.mkdir(parents=True)
    (data / "meta.properties").write_text("version=1\nnode.id=77\ncluster.id=of-another-broker\n")

    with pytest.raises(EndedEarlyError, match=r"(?s)kafka ended with code 1.*kafka\.log ends:.*77"):
        await EmbeddedKafka(tmp_path / "kafka").start()


async def test_an_archive_that_crashes_java_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = tmp_path / "classes.aot"
    archive.touch()
    broker = EmbeddedKafka(tmp_path / "kafka")

    async def crash_with_the_archive(bootstrap_servers: str) -> bool:
        if archive.exists():
            with contextlib.suppress(ProcessLookupError):
                os.kill(broker.pid, signal.SIGABRT)
        return await answers(bootstrap_servers)

    monkeypatch.setattr(kafka_module, "archive_file", lambda: archive)
    monkeypatch.setattr(kafka_module, "archive_options", list)
    monkeypatch.setattr(kafka_module, "answers", crash_with_the_archive)

    await broker.start()

    assert not archive.exists()
    await broker.stop()


async def test_the_archive_of_classes_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = tmp_path / "classes.aot"
    monkeypatch.setattr(kafka_training, "archive_file", lambda: archive)

    await kafka_training.make_archive(tmp_path / "training.log")
    made = archive.stat()
    await kafka_training.make_archive(tmp_path / "training.log")

    assert made.st_size > 10_000_000
    assert archive.stat().st_ino == made.st_ino
    assert set(os.listdir(tmp_path)) == {"classes.aot", "training.log"}  # noqa: PTH208 - nothing blocks here

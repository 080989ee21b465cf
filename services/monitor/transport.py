"""Faust's Kafka transport, with two things that it lacks: it reads committed, and bears headers that are not UTF-8."""

from collections.abc import Iterable, Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from faust.transport.drivers import aiokafka as driver
from mode.threads import ServiceThread, WorkerThread

ONE_BY_ONE = 500
FETCH_MIN_BYTES = 256 * 1024
FETCH_WAIT_MS = 250
WITHIN_S = 0.5
Records = Mapping[Any, list[ConsumerRecord]]


class _Worker(WorkerThread):
    """A thread that never keeps the process from ending: one that hangs on Kafka cannot be told to."""

    def __init__(self, service: ServiceThread, **kwargs: Any) -> None:
        super().__init__(service, **kwargs)
        self.daemon = True


class _Thread(driver.AIOKafkaConsumerThread):
    Worker = _Worker

    def _create_worker_consumer(self, transport: Any) -> AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        # Faust has it only with its transactions. The fetcher is made with it when the consumer starts.
        consumer._isolation_level = "read_committed"
        # Nor can it be told to wait for more than one record. What is counted a moment later costs the broker and the
        # parts that work on commands far less.
        consumer._fetch_min_bytes, consumer._fetch_max_wait_ms = FETCH_MIN_BYTES, FETCH_WAIT_MS
        return consumer

    async def _fetch_records(
        self,
        consumer: AIOKafkaConsumer,
        active_partitions: Any,
        timeout: float | None = None,  # noqa: ASYNC109 - the signature is Faust's
        max_records: int | None = None,
    ) -> Records:
        places = await _positions(consumer, active_partitions)
        try:
            return await super()._fetch_records(consumer, active_partitions, timeout=timeout, max_records=max_records)
        except UnicodeDecodeError:
            # A header's name is not UTF-8, and all that was read in the same call is lost: go back.
            for where, offset in places.items():
                consumer.seek(where, offset)
        return {where: found for where in places if (found := await self._read_one_by_one(consumer, where))}

    async def _read_one_by_one(self, consumer: AIOKafkaConsumer, where: TopicPartition) -> list[ConsumerRecord]:
        """Return some records, with an empty one in the place of the one that cannot be decoded."""
        found: list[ConsumerRecord] = []
        while len(found) < ONE_BY_ONE:
            offset = await consumer.position(where)
            try:
                batch = await super()._fetch_records(consumer, {where}, timeout=WITHIN_S, max_records=1)
            except UnicodeDecodeError:
                consumer.seek(where, offset + 1)
                return [*found, _empty(where, offset)]
            if not batch:
                break
            found += batch[where]
        return found


async def _positions(consumer: AIOKafkaConsumer, partitions: Iterable[TopicPartition] | None) -> dict[Any, int]:
    assigned = consumer.assignment()
    return {where: await consumer.position(where) for where in partitions or assigned if where in assigned}


def _empty(where: TopicPartition, offset: int) -> ConsumerRecord:
    return ConsumerRecord(where.topic, where.partition, offset, 0, 0, None, None, None, -1, -1, ())


class _Consumer(driver.Consumer):
    def _new_consumer_thread(self) -> _Thread:
        return _Thread(self, loop=self.loop, beacon=self.beacon)


class Transport(driver.Transport):
    """The transport of the monitor."""

    Consumer = _Consumer

"""Publishes commands: what is acknowledged is durable in Kafka, and an unknown outcome is called unknown."""

import asyncio
from dataclasses import replace

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError
from opentelemetry.trace import SpanKind

from events.codec import encode_command
from events.envelope import Command
from events.refusals import Code, Refused
from events.topics import COMMANDS_TOPIC
from services.kit.health import Health
from services.kit.kafka import idempotent_producer
from services.kit.metrics import CLIENTS_REPLACED
from services.kit.patience import Patience
from services.kit.settings import KafkaSettings
from services.kit.stopping import stop_client
from services.kit.tracing import current_traceparent, is_on, span

RECONNECT_S = 0.5
START_S = 10.0
PART = "kafka producer"


class NotSent(Refused):
    """A refusal of a command that Kafka never saw, and never will."""


class CommandPublisher:
    """A producer for the commands topic that is replaced when it breaks.

    Idempotent batches never expire in aiokafka, so a send is waited for under a deadline and shielded from it:
    after the deadline the command may still be written, and the refusal says so.
    """

    def __init__(
        self, kafka: KafkaSettings, health: Health, *, acknowledge_timeout_s: float, max_in_flight: int
    ) -> None:
        self._kafka = kafka
        self._health = health
        self._topic = COMMANDS_TOPIC.name(kafka.topic_prefix)
        self._deadline_s = acknowledge_timeout_s
        self._max_in_flight = max_in_flight
        self._under_way: set[asyncio.Task[object]] = set()
        self._producer: AIOKafkaProducer | None = None
        self._broken = asyncio.Event()
        health.expect(PART)

    async def run(self) -> None:
        """Keep a working producer until cancelled."""
        try:
            while True:
                await self._connect()
                await self._broken.wait()
                await self._disconnect()
        finally:
            await self._disconnect()
            for task in self._under_way:
                task.cancel()
            await asyncio.gather(*self._under_way, return_exceptions=True)

    async def publish(self, command: Command, patience: Patience | None = None) -> None:
        """Return once Kafka has acknowledged `command`, for which it has no longer than `patience`.

        Where there are traces, the command carries the place of its publishing in one.
        Raises Refused: kafka_unavailable (it may still take effect), or NotSent: overloaded, payload_too_large, or
        kafka_unavailable too.
        """
        if not is_on():
            return await self._publish(command, patience)
        with span(f"publish {self._topic}", SpanKind.PRODUCER, attributes=self._told_of(command)):
            return await self._publish(replace(command, traceparent=current_traceparent(None)), patience)

    def _told_of(self, command: Command) -> dict[str, str]:
        return {
            "messaging.system": "kafka",
            "messaging.operation.name": "publish",
            "messaging.operation.type": "send",
            "messaging.destination.name": self._topic,
            "messaging.message.id": str(command.id),
            "pipeloom.command_type": command.type,
        }

    async def _publish(self, command: Command, patience: Patience | None) -> None:
        if len(self._under_way) >= self._max_in_flight:
            raise NotSent(
                Code.OVERLOADED,
                f"{self._max_in_flight} commands are under way in this process; this one was not sent. Try again.",
            )
        if self._producer is None:
            raise _unavailable(command, "nothing was sent", NotSent)
        task = asyncio.create_task(self._send(self._producer, command))
        self._under_way.add(task)
        task.add_done_callback(self._finished)
        limit_s = self._deadline_s if patience is None else min(self._deadline_s, patience.left_s)
        if not await (patience or Patience(limit_s)).wait(task, limit_s):
            if limit_s == self._deadline_s:  # that a client is in a hurry says nothing of Kafka
                self._health.ill(PART, f"no acknowledgement within {self._deadline_s:g} s")
            raise _unavailable(command, "it may still take effect")
        try:
            task.result()
        except MessageSizeTooLargeError as error:
            raise NotSent(
                Code.PAYLOAD_TOO_LARGE, "The command is larger than a record may be; nothing was sent. Make it smaller."
            ) from error
        except KafkaError as error:
            raise _unavailable(command, "it may still take effect") from error

    async def _send(self, producer: AIOKafkaProducer, command: Command) -> None:
        record = encode_command(command)
        await producer.send_and_wait(self._topic, record.value, key=record.key, headers=record.headers)

    def _finished(self, task: "asyncio.Task[object]") -> None:
        self._under_way.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is None:
            self._health.well(PART)
        elif not isinstance(error, MessageSizeTooLargeError):
            self._broken.set()

    async def _connect(self) -> None:
        while True:
            producer = idempotent_producer(self._kafka)
            try:
                async with asyncio.timeout(START_S):
                    await producer.start()
            except (KafkaError, OSError) as error:
                self._health.ill(PART, f"Kafka cannot be reached at {self._kafka.bootstrap_servers}: {error}")
                await stop_client(producer)
                await asyncio.sleep(RECONNECT_S)
            else:
                self._producer = producer
                self._broken.clear()
                self._health.well(PART)
                return

    async def _disconnect(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            self._health.ill(PART, "the producer is being replaced")
            CLIENTS_REPLACED.labels("command producer").inc()
            await stop_client(producer)


def _unavailable(command: Command, outcome: str, kind: type[Refused] = Refused) -> Refused:
    return kind(
        Code.KAFKA_UNAVAILABLE,
        f"Kafka did not acknowledge the command in time; {outcome}. Ask for it at /api/v1/commands/{command.id}, "
        "or repeat the request with the same Idempotency-Key.",
        command_id=str(command.id),
    )

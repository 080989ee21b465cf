"""Reads the events topic, starts a build for each created step, and commits what was reported."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from events.codec import decode_event
from events.envelope import Event, type_attribute
from events.resources import Step
from events.results import RESULTS, StepCreated, StepUpdated
from events.topics import EVENTS_TOPIC
from events.upcasting import present
from services.builder.metrics import UNDER_WAY, tell_lag
from services.builder.offsets import Offsets
from services.kit.health import Health
from services.kit.kafka import group_consumer
from services.kit.lag import records_behind
from services.kit.metrics import CLIENTS_REPLACED
from services.kit.progress import Place, Seen
from services.kit.reasons import reason_of
from services.kit.settings import Settings
from services.kit.stopping import stop_client
from services.kit.topic_ends import TopicEnds

PART = "kafka consumer"
WHAT = "events to build for"
MAX_BUILDS = 4
POLL_MS = 500
START_S = 30.0
RECONNECT_S = 1.0
TOUCH_EVERY_S = 1.0
TOUCH_TIMEOUT_S = 3.0
# What a report may take after its build.
POLL_MARGIN_S = 30.0

# The events after which a step is Pending.
BEGINNINGS: dict[tuple[str, int], type[StepCreated] | type[StepUpdated]] = {
    (model.__name__, model.version): model for model in (StepCreated, StepUpdated)
}

# Of these there are many more; to decode them would be to find out what their type says.
OTHERS = {
    type_attribute(name, version).encode()
    for name, model in RESULTS.items()
    for version in range(1, model.version + 1)
    if name not in {name for name, _ in BEGINNINGS}
}

Report = Callable[[Event, Step], Awaitable[None]]

log = structlog.get_logger(repeats=True)


def step_to_build(record: ConsumerRecord) -> tuple[Event, Step] | None:
    """Return the event and the step of a record that asks for a build; None for any other."""
    if any(name == "ce_type" and raw in OTHERS for name, raw in record.headers):
        return None
    try:
        event = present(decode_event(record.partition, record.headers, record.value or b""))
        begun = BEGINNINGS.get((event.type, event.version))
        return None if begun is None else (event, begun.model_validate_json(event.data).step)
    except ValueError as error:
        log.warning("an event is skipped", partition=record.partition, offset=record.offset, error=str(error))
        return None


class Intake:
    """Keeps up to MAX_BUILDS builds under way.

    It asks Kafka for no more records than there are free places, so there is no backlog in memory, and it polls again
    at the latest when the oldest build has ended: that one's deadline, not the kit's minute, sets max_poll_interval. A
    builder that cannot get on for longer (its disk is full, Kafka does not take its reports) leaves the group, and
    another one builds the same steps.
    """

    def __init__(self, settings: Settings, health: Health, report: Report) -> None:
        self._settings = settings
        self._health = health
        self._report = report
        self._offsets = Offsets()
        self._builds: set[asyncio.Task[None]] = set()
        self._touch_at = 0.0
        self._ended = 0
        self._done: dict[TopicPartition, int] = {}
        self._ends = TopicEnds(settings.kafka)
        health.expect(PART)

    async def run(self) -> None:
        """Read until cancelled; the builds under way are then abandoned, and their records not committed."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._keep_following(group))
        finally:
            await self._ends.close()

    async def look(self) -> Mapping[Place, Seen]:
        """Return how much is not done with, for the watchdog: a build that ends is progress. Raises what Kafka did."""
        ends = await self._ends.read(self._done)
        return {
            Place(WHAT, where.partition): Seen(
                records_behind(end, self._done.get(where, end), is_transactional=True),
                (self._done.get(where, end), self._ended),
            )
            for where, end in ends.items()
        }

    async def _keep_following(self, group: asyncio.TaskGroup) -> None:
        while True:
            try:
                await self._follow(group)
            except (KafkaError, OSError, UnicodeDecodeError) as error:
                self._trouble(error)
                CLIENTS_REPLACED.labels("events consumer").inc()
            await asyncio.sleep(RECONNECT_S)

    async def _follow(self, group: asyncio.TaskGroup) -> None:
        consumer = self._consumer()
        try:
            async with asyncio.timeout(START_S):
                await consumer.start()
            while True:
                await self._touch(consumer)
                await self._free_place()
                batches = await consumer.getmany(timeout_ms=POLL_MS, max_records=MAX_BUILDS - len(self._builds))
                for partition, records in batches.items():
                    for record in records:
                        self._take(group, partition, record)
        finally:
            if self._offsets.news(consumer.assignment()):
                await self._ask(consumer)
            await stop_client(consumer)

    def _consumer(self) -> AIOKafkaConsumer:
        longest_pause_s = self._settings.builder.timeout_s + POLL_MARGIN_S
        consumer = group_consumer(
            self._settings.kafka,
            self._settings.kafka.group("builder", self._settings.builder.group_id),
            max_poll_interval_ms=int(longest_pause_s * 1000),
        )
        consumer.subscribe([EVENTS_TOPIC.name(self._settings.kafka.topic_prefix)])
        return consumer

    async def _free_place(self) -> None:
        while len(self._builds) >= MAX_BUILDS:
            await asyncio.wait(self._builds, return_when=asyncio.FIRST_COMPLETED)

    def _take(self, group: asyncio.TaskGroup, partition: TopicPartition, record: ConsumerRecord) -> None:
        asked = step_to_build(record)
        if asked is None:
            self._offsets.skipped(partition, record.offset)
            return
        self._offsets.opened(partition, record.offset)
        build = group.create_task(self._build(partition, record.offset, *asked))
        self._builds.add(build)
        build.add_done_callback(self._builds.discard)

    async def _build(self, partition: TopicPartition, offset: int, event: Event, step: Step) -> None:
        with UNDER_WAY.track_inprogress():
            await self._report(event, step)
        self._offsets.closed(partition, offset)
        self._ended += 1

    async def _touch(self, consumer: AIOKafkaConsumer) -> None:
        if time.monotonic() >= self._touch_at:
            self._touch_at = time.monotonic() + TOUCH_EVERY_S
            await self._ask(consumer)
            self._done = await tell_lag(consumer, self._offsets)

    async def _ask(self, consumer: AIOKafkaConsumer) -> None:
        """Commit what was reported, or else ask for a sign of life; a failure is only told."""
        news = self._offsets.news(consumer.assignment())
        try:
            async with asyncio.timeout(TOUCH_TIMEOUT_S):
                await (consumer.commit(news) if news else consumer.topics())
        except (KafkaError, OSError) as error:
            self._trouble(error)
        else:
            self._offsets.committed(news)
            self._health.well(PART)

    def _trouble(self, error: Exception) -> None:
        reason = f"Kafka does not answer as it should: {reason_of(error)}"
        if self._health.troubles.get(PART) != reason:
            log.warning("the consumer is in trouble", reason=reason)
        self._health.ill(PART, reason)

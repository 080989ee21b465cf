"""Runs the monitor: the topics are waited for, then Faust reads them and a turn is taken every few seconds."""

import asyncio
import contextlib
import logging

import structlog
from aiokafka.errors import KafkaError

from events.topics import COMMANDS_TOPIC
from services.kit.backoff import Backoff
from services.kit.health import Health
from services.kit.kafka import count_partitions, ensure_changelog
from services.kit.process import StartError
from services.kit.reasons import reason_of
from services.kit.settings import Settings
from services.kit.watchdog import Watchdog
from services.monitor.app import MAX_SAVED_BYTES, changelog_topic
from services.monitor.monitor import POSTGRES_PART, STREAM_PART, Monitor
from services.monitor.stream import Stream

TOPICS_PART = "topics"
SAVE_S = 2.0
# To read a long changelog back takes its time, in which no turn is taken.
PATIENCE = 5

log = structlog.get_logger()


async def run_monitor(settings: Settings, health: Health, stop: asyncio.Event) -> None:
    """Watch until `stop` is set. Raises StartError when the stream breaks: begun anew, it goes on where it was."""
    health.expect(STREAM_PART, TOPICS_PART, POSTGRES_PART)
    for library in ("faust", "mode"):  # they tell of each of their parts, and tables of offsets over many lines
        logging.getLogger(library).setLevel(logging.WARNING)
    partitions = await _prepared(settings, health, stop)
    if partitions is None:
        return
    monitor = Monitor(settings, health, partitions)
    await monitor.open()
    starting = asyncio.create_task(monitor.stream.start(), name="stream")
    watchdog = Watchdog(PATIENCE * settings.watchdog.stuck_after_s, health, monitor.look, servers=[POSTGRES_PART])
    watching = asyncio.create_task(watchdog.run(), name="watchdog")
    try:
        while not stop.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), settings.monitor.every_s)
            _demand_unbroken(monitor.stream, starting)
            if starting.done():
                await monitor.turn()
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await _end(monitor, starting)


async def _prepared(settings: Settings, health: Health, stop: asyncio.Event) -> int | None:
    """Wait for the topics; return how many partitions they have, None when there is no time left."""
    backoff = Backoff()
    topic = COMMANDS_TOPIC.name(settings.kafka.topic_prefix)
    while not stop.is_set():
        try:
            partitions = await count_partitions(settings.kafka, topic)
            changelog = changelog_topic(settings.kafka, settings.monitor)
            await ensure_changelog(settings.kafka, changelog, partitions, MAX_SAVED_BYTES)
        except (KafkaError, OSError) as error:
            health.ill(TOPICS_PART, f"the topics cannot be used: {reason_of(error)}")
            await backoff.wait(stop)
        else:
            health.well(TOPICS_PART)
            return partitions
    return None


def _demand_unbroken(stream: Stream, starting: "asyncio.Task[None]") -> None:
    error = stream.trouble or (starting.exception() if starting.done() and not starting.cancelled() else None)
    if error is not None:
        raise StartError(
            f"the stream has stopped ({reason_of(error)}); start the monitor again, it goes on where it was"
        )


async def _end(monitor: Monitor, starting: "asyncio.Task[None]") -> None:
    """Save what can be saved, and leave the group; what cannot is read again."""
    is_sound = starting.done() and monitor.stream.trouble is None
    starting.cancel()
    try:
        if is_sound:
            await _save_the_last(monitor)
        await monitor.stream.stop()
    except (KafkaError, OSError, TimeoutError) as error:
        log.warning("the monitor left its group without a word; the group notices", error=repr(error))
    finally:
        await monitor.close()


async def _save_the_last(monitor: Monitor) -> None:
    """Save within SAVE_S: a Kafka that is away must not take the time in which the stream has to be stopped."""
    told: dict[str, object] = {}
    try:
        async with asyncio.timeout(SAVE_S):
            if unsaved := await monitor.save():
                told = {"environments": len(unsaved)}
    except (KafkaError, OSError, TimeoutError) as error:
        told = {"error": repr(error)}
    if told:
        log.warning("the monitor was stopped before all was saved; it will read again", **told)

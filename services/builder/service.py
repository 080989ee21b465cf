"""Wires the builder: a command publisher, the intake of events, and the builds between them."""

import asyncio

from services.builder.examine import Bench
from services.builder.intake import MAX_BUILDS, Intake
from services.builder.reporter import PART as BUILDS_PART
from services.builder.reporter import Reporter
from services.builder.threads import BuildThreads
from services.builder.workdir import sweep
from services.kit.archives import limits_of
from services.kit.commands import CommandPublisher
from services.kit.health import Health
from services.kit.objects import ObjectStore
from services.kit.process import StartError, running
from services.kit.sealing import Sealer
from services.kit.settings import Settings
from services.kit.watchdog import Watchdog


def _bench(settings: Settings) -> Bench:
    """Return what to build with. Raises StartError without a key to open secrets with, or a store."""
    try:
        objects = ObjectStore(settings.objects)
        objects.open()
        return Bench(settings.builder, limits_of(settings.objects), objects, Sealer(settings.secrets))
    except (OSError, ValueError) as error:
        raise StartError(
            f"the sealing key or the object store cannot be used ({error}); run `pipeloom init`, or set "
            "PIPELOOM_SECRETS__KEY_FILE and PIPELOOM_OBJECTS__LOCATION"
        ) from error


async def main(settings: Settings, health: Health, stop: asyncio.Event) -> None:
    """Build steps until `stop` is set; builds under way are then abandoned, and come again from Kafka."""
    publisher = CommandPublisher(
        settings.kafka, health, acknowledge_timeout_s=settings.http.acknowledge_timeout_s, max_in_flight=MAX_BUILDS
    )
    threads = BuildThreads(MAX_BUILDS)
    reporter = Reporter(_bench(settings), threads, publisher.publish, health, stop)
    intake = Intake(settings, health, reporter.report)
    await asyncio.to_thread(sweep, settings.builder.work_dir)
    # A build may take its whole time before anything is done.
    patience_s = settings.watchdog.stuck_after_s and settings.watchdog.stuck_after_s + settings.builder.timeout_s
    watchdog = Watchdog(patience_s, health, intake.look, servers=[BUILDS_PART])
    async with threads, running(publisher.run(), intake.run(), watchdog.run()):
        await stop.wait()

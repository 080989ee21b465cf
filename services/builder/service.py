"""Wires the builder: a command publisher, the intake of events, and the builds between them."""

import asyncio

from services.builder.intake import MAX_BUILDS, Intake
from services.builder.reporter import Reporter
from services.builder.workdir import sweep
from services.kit.commands import CommandPublisher
from services.kit.health import Health
from services.kit.process import running
from services.kit.settings import Settings


async def main(settings: Settings, health: Health, stop: asyncio.Event) -> None:
    """Build steps until `stop` is set; builds under way are then abandoned, and come again from Kafka."""
    publisher = CommandPublisher(
        settings.kafka, health, acknowledge_timeout_s=settings.http.acknowledge_timeout_s, max_in_flight=MAX_BUILDS
    )
    reporter = Reporter(settings.builder, publisher.publish, health, stop)
    intake = Intake(settings, health, reporter.report)
    await asyncio.to_thread(sweep, settings.builder.work_dir)
    async with running(publisher.run(), intake.run()):
        await stop.wait()

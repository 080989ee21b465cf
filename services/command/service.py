"""Runs the command service, alone or as a part of the gateway."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter

from services.command.routes import command_router
from services.command.sources import Sources
from services.command.submit import Submitter
from services.command.webhooks import webhook_routes
from services.kit.backend import Backend, open_backend
from services.kit.commands import CommandPublisher
from services.kit.health import Health
from services.kit.objects import ObjectStore
from services.kit.process import StartError, running, serving
from services.kit.settings import Settings
from services.kit.web import make_app


@asynccontextmanager
async def command_routers(backend: Backend, health: Health) -> AsyncIterator[list[APIRouter]]:
    """Give the routes of the command service, with their publisher running inside the block."""
    http = backend.settings.http
    publisher = CommandPublisher(
        backend.settings.kafka,
        health,
        acknowledge_timeout_s=http.acknowledge_timeout_s,
        max_in_flight=http.max_in_flight,
    )
    async with running(publisher.run()):
        routed = command_router(Submitter(backend, publisher), backend.tokens, backend.sealer, open_sources(backend))
        yield [routed, webhook_routes(backend)]


def open_sources(backend: Backend) -> Sources:
    """Return where uploaded sources go. Raises StartError when that cannot be used."""
    objects = ObjectStore(backend.settings.objects)
    try:
        objects.open()
    except OSError as error:
        raise StartError(f"{error}; set PIPELOOM_OBJECTS__LOCATION") from error
    return Sources(backend.settings.objects, objects, backend.sealer)


async def run_command(settings: Settings, health: Health, stop: asyncio.Event) -> None:
    """Take commands until `stop` is set."""
    async with open_backend(settings, health) as backend, command_routers(backend, health) as routers:
        app = make_app(
            "Pipeloom commands",
            routers,
            health,
            body_timeout_s=settings.http.body_timeout_s,
            log_requests=settings.http.log_requests,
            upload_bytes=settings.objects.max_upload_bytes,
            tokens=backend.tokens,
        )
        async with serving(app, settings.http.host, settings.http.port, backend.ending):
            await stop.wait()

"""Runs the gateway: `python -m services.gateway`."""

import asyncio

from services.command.service import command_routers
from services.kit.backend import open_backend
from services.kit.health import Health
from services.kit.process import run_service, serving
from services.kit.settings import Settings
from services.kit.web import make_app
from services.query.service import query_routers


async def run_gateway(settings: Settings, health: Health, stop: asyncio.Event) -> None:
    """Serve commands and queries until `stop` is set."""
    async with open_backend(settings, health) as backend, command_routers(backend, health) as routers:
        app = make_app(
            "Pipeloom",
            [*routers, *query_routers(backend)],
            health,
            body_timeout_s=settings.http.body_timeout_s,
            log_requests=settings.http.log_requests,
            upload_bytes=settings.objects.max_upload_bytes,
            tokens=backend.tokens,
        )
        async with serving(app, settings.http.host, settings.http.port, backend.ending):
            await stop.wait()
            backend.live.watchers.end()


if __name__ == "__main__":
    run_service("gateway", run_gateway)

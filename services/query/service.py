"""Runs the query service, alone or as a part of the gateway."""

import asyncio

from fastapi import APIRouter

from services.kit.backend import Backend, open_backend
from services.kit.health import Health
from services.kit.process import serving
from services.kit.settings import Settings
from services.kit.web import make_app
from services.query.activity import activity_router
from services.query.command_list import command_list_router
from services.query.commands import command_status_router
from services.query.dead_letters import dead_letter_router
from services.query.deployments import deployment_router
from services.query.events import event_router
from services.query.history import history_router
from services.query.pipelines import pipeline_router
from services.query.sources import source_router
from services.query.steps import step_router
from services.query.users import user_router
from services.query.variables import variable_router
from services.query.webhooks import webhook_router


def query_routers(backend: Backend) -> list[APIRouter]:
    """Return the routes of the query service."""
    return [
        pipeline_router(backend),
        step_router(backend),
        source_router(backend),
        deployment_router(backend),
        variable_router(backend),
        history_router(backend.pool),
        command_status_router(backend),
        command_list_router(backend.pool),
        dead_letter_router(backend.pool),
        event_router(backend),
        activity_router(backend),
        webhook_router(backend),
        user_router(backend),
    ]


async def run_query(settings: Settings, health: Health, stop: asyncio.Event) -> None:
    """Serve reads until `stop` is set."""
    async with open_backend(settings, health) as backend:
        app = make_app(
            "Pipeloom queries",
            query_routers(backend),
            health,
            tokens=backend.tokens,
            body_timeout_s=settings.http.body_timeout_s,
            log_requests=settings.http.log_requests,
        )
        async with serving(app, settings.http.host, settings.http.port, backend.ending):
            await stop.wait()
            backend.live.watchers.end()

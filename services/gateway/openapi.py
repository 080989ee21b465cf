"""The OpenAPI document of the HTTP API, as a file: `python -m services.gateway.openapi` writes it."""

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from fastapi import FastAPI

from events.schemas import as_text
from services.command.routes import command_router
from services.command.sources import Sources
from services.command.submit import Submitter
from services.command.webhooks import webhook_routes
from services.kit.backend import Backend
from services.kit.commands import CommandPublisher
from services.kit.health import Health
from services.kit.live import LiveEvents
from services.kit.objects import ObjectStore
from services.kit.postgres import open_pool
from services.kit.sealing import Sealer, ensure_secrets_key
from services.kit.settings import AuthSettings, SecretsSettings, Settings
from services.kit.signing_keys import ensure_signing_key
from services.kit.tokens import Tokens
from services.kit.web import make_app
from services.query.service import query_routers

DOCUMENT = Path(__file__).resolve().parents[2] / "schemas" / "openapi.json"


async def openapi_document() -> dict[str, Any]:
    """Return the document that the gateway serves under /api/v1/openapi.json; no server is needed for it."""
    with TemporaryDirectory() as folder:
        settings = Settings(
            auth=AuthSettings(signing_key_file=Path(folder) / "signing-key.pem"),
            secrets=SecretsSettings(key_file=Path(folder) / "secrets.key"),
        )
        ensure_signing_key(settings.auth.signing_key_file)
        ensure_secrets_key(settings.secrets.key_file)
        return _unconnected_gateway(settings).openapi()


def _unconnected_gateway(settings: Settings) -> FastAPI:
    """Return the gateway's application on parts that nobody starts, so that none of them connects."""
    health = Health()
    pool = open_pool(settings.postgres)
    live = LiveEvents(settings.kafka, settings.postgres, pool, health)
    backend = Backend(settings, pool, live, Tokens(settings.auth), Sealer(settings.secrets))
    publisher = CommandPublisher(settings.kafka, health, acknowledge_timeout_s=1, max_in_flight=1)
    sources = Sources(settings.objects, ObjectStore(settings.objects), backend.sealer)
    commands = command_router(Submitter(backend, publisher), backend.tokens, backend.sealer, sources)
    return make_app(
        "Pipeloom", [commands, webhook_routes(backend), *query_routers(backend)], health, tokens=backend.tokens
    )


def main() -> None:
    """Write the document."""
    DOCUMENT.write_text(as_text(asyncio.run(openapi_document())), encoding="utf-8")
    print(f"OpenAPI document written: {DOCUMENT}")


if __name__ == "__main__":
    main()

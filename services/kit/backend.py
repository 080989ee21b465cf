"""What an HTTP application needs behind it: a pool, the live events, and the tokens."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from services.kit.health import Health
from services.kit.live import LiveEvents
from services.kit.postgres import Pool, open_pool
from services.kit.process import running
from services.kit.settings import Settings
from services.kit.tokens import Tokens


@dataclass(frozen=True, slots=True)
class Backend:
    """What the routes of one process share."""

    settings: Settings
    pool: Pool
    live: LiveEvents
    tokens: Tokens


@asynccontextmanager
async def open_backend(settings: Settings, health: Health) -> AsyncIterator[Backend]:
    """Open what the routes need, and keep the live events running inside the block."""
    tokens = Tokens(settings.auth)
    async with open_pool(settings.postgres) as pool:
        live = LiveEvents(settings.kafka, settings.postgres, pool, health)
        async with running(live.run()):
            yield Backend(settings, pool, live, tokens)

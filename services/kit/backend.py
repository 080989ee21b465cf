"""What an HTTP application needs behind it: a pool, the live events, the tokens and the sealer."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from services.kit.health import Health
from services.kit.live import LiveEvents
from services.kit.patience import Ending
from services.kit.places import LISTS, Turns
from services.kit.postgres import Pool, open_pool
from services.kit.probes import probe_kafka, probe_postgres
from services.kit.process import StartError, running
from services.kit.schema import demand_migrated
from services.kit.sealing import Sealer
from services.kit.settings import AuthSettings, SecretsSettings, Settings
from services.kit.signing_keys import why_unusable
from services.kit.tokens import Tokens
from services.kit.watchdog import Watchdog

LONGEST_PAGE_S = 5.0


@dataclass(frozen=True, slots=True)
class Backend:
    """What the routes of one process share."""

    settings: Settings
    pool: Pool
    live: LiveEvents
    tokens: Tokens
    sealer: Sealer
    ending: Ending = field(default_factory=Ending)
    """Set when the process is about to end: who still waits for news is answered without them."""
    list_turns: Turns = field(init=False)
    """The pages of lists that are read at a time."""

    def __post_init__(self) -> None:
        """Share the pool's connections among the environments that read lists."""
        beside_others = self.settings.http.list_turns_per_environment
        alone = self.settings.postgres.pool_size
        turns = Turns(LISTS, beside_others=beside_others, alone=alone, longest_s=LONGEST_PAGE_S)
        object.__setattr__(self, "list_turns", turns)


def _tokens(auth: AuthSettings) -> Tokens:
    try:
        return Tokens(auth)
    except (OSError, ValueError) as error:
        raise StartError(why_unusable(auth.signing_key_file, error)) from error


def open_sealer(secrets: SecretsSettings) -> Sealer:
    """Return what seals and opens secrets. Raises StartError without its key."""
    try:
        return Sealer(secrets)
    except (OSError, ValueError) as error:
        raise StartError(
            f"the sealing key cannot be used ({error}); run `pipeloom init`, or set PIPELOOM_SECRETS__KEY_FILE"
        ) from error


@asynccontextmanager
async def open_backend(settings: Settings, health: Health) -> AsyncIterator[Backend]:
    """Open what the routes need, and keep the live events running inside the block.

    Raises StartError without keys or tables.
    """
    tokens, sealer = _tokens(settings.auth), open_sealer(settings.secrets)
    await demand_migrated(settings.postgres)
    async with open_pool(settings.postgres) as pool:
        live = LiveEvents(settings.kafka, settings.postgres, pool, health)
        watchdog = Watchdog(settings.watchdog.stuck_after_s, health, live.look)
        probes = probe_kafka(settings.kafka, health), probe_postgres(pool, health)
        async with running(live.run(), *probes, watchdog.run()):
            yield Backend(settings, pool, live, tokens, sealer)

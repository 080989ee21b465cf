"""Prunes now and then inside the composer, on a connection of its own; one composer of all does it at a time."""

import asyncio
import time
from datetime import datetime

import structlog
from aiokafka.errors import KafkaError

from services.composer.retention.ends import read_topic_ends, wait_until_decided
from services.composer.retention.metrics import KEEP, OLDEST, tell_piece, tell_round
from services.composer.retention.prune import NotDecidedError, Pace, Pruned, prune
from services.composer.retention.store import read_oldest_of_each, sql
from services.kit.postgres import POSTGRES_TROUBLE, Connection, connect
from services.kit.settings import Settings

DAY_S = 86_400.0
DECIDED_WITHIN_S = 30.0
TROUBLE = (KafkaError, *POSTGRES_TROUBLE)

log = structlog.get_logger(repeats=True)


async def keep_pruned(settings: Settings) -> None:
    """Tell how old the oldest rows are, and prune what is older than it is kept, until cancelled."""
    KEEP.set((settings.retention.keep_days or 0) * DAY_S)
    while True:
        try:
            await look_and_prune(settings)
        except NotDecidedError:
            log.info("nothing is pruned while commands wait to be decided")
        except TROUBLE as error:
            log.warning("pruning is tried again later", error=repr(error))
        await asyncio.sleep(settings.retention.every_s)


async def look_and_prune(settings: Settings) -> Pruned | None:
    """Go through all histories once; None when nothing is to be pruned, or when another composer does it."""
    connection = await connect(settings.postgres)
    try:
        await _tell_oldest(connection)
        if settings.retention.keep_days is None or not await sql.lead(connection):
            return None
        done = await _round(connection, settings, settings.retention.keep_days)
        if done.events:
            await _tell_oldest(connection)
        return done
    finally:
        connection.terminate()


async def _round(connection: Connection, settings: Settings, keep_days: float) -> Pruned:
    ends = await read_topic_ends(connection, settings.kafka)
    await wait_until_decided(connection, ends, DECIDED_WITHIN_S)
    pace = Pace(settings.retention.batch_events, settings.retention.pause_s)
    done = await prune(connection, ends, keep_days, pace, tell_piece)
    tell_round(done, time.time())
    for environment, why in done.unreadable.items():
        log.error("a history cannot be replayed, so it is not pruned", environment=environment, reason=why)
    if done.events:
        log.info("pruned", events=done.events, commands=done.commands, held=len(done.held))
    return done


async def _tell_oldest(connection: Connection) -> None:
    now: datetime = await sql.now(connection)
    oldest = now
    async for _, decided_at in read_oldest_of_each(connection):
        oldest = min(oldest, decided_at or oldest)
    OLDEST.set((now - oldest).total_seconds())

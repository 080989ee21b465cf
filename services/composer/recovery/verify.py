"""Verifies on a live system that the projection is what a replay of the event log makes."""

from functools import partial

import asyncpg

from events.topics import COMMANDS_TOPIC
from services.composer.recovery.baseline import lay_out_baseline, read_horizons
from services.composer.recovery.differences import (
    Difference,
    Findings,
    check_commands,
    check_cursors,
    check_head,
    compare,
    count_resources,
    list_environments,
)
from services.composer.recovery.progress import Progress
from services.composer.recovery.replay import keep_rows, read_places, replay
from services.composer.recovery.scratch import make_temporary
from services.composer.recovery.sessions import patient_connection
from services.kit.postgres import Connection
from services.kit.settings import Settings


class UnknownEnvironmentError(Exception):
    """There is no environment of that id; the message says so."""


async def verify(settings: Settings, environment: str | None, progress: Progress) -> Findings:
    """Return how the projection differs from a replay, in one environment or in all, as of one moment.

    Raises UnknownEnvironmentError, and one of POSTGRES_TROUBLE when it cannot be checked.
    """
    async with patient_connection(settings.postgres) as connection:
        await make_temporary(connection)
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            return await _verify(connection, COMMANDS_TOPIC.name(settings.kafka.topic_prefix), environment, progress)


async def _verify(
    connection: "asyncpg.Connection[asyncpg.Record]", topic: str, environment: str | None, progress: Progress
) -> Findings:
    findings = Findings()
    horizons = await read_horizons(connection)
    places = horizons | await read_places(connection)
    chosen = await _choose(connection, places, environment)
    progress.begin("verifying", sum(places.get(each, 0) - horizons.get(each, 0) for each in chosen))
    for each in chosen:
        await _verify_environment(connection, each, places.get(each, 0), findings, progress)
    async for difference in check_cursors(connection, topic):
        findings.add(difference)
    findings.environments = len(chosen)
    findings.resources = await count_resources(connection)
    return findings


async def _choose(connection: Connection, places: dict[str, int], environment: str | None) -> list[str]:
    known = sorted({*places, *await list_environments(connection)})
    if environment is None:
        return known
    if environment not in known:
        raise UnknownEnvironmentError(f"there is no environment '{environment}'")
    return [environment]


async def _verify_environment(
    connection: Connection, environment: str, last: int, findings: Findings, progress: Progress
) -> None:
    place = await lay_out_baseline(connection, environment)
    async for piece in replay(connection, environment, place, last, partial(keep_rows, connection)):
        for problem in piece.problems:
            findings.add(Difference(environment, "history", problem))
        findings.events += piece.events
        progress.advance(piece.events)
    for check in (
        compare(connection, environment),
        check_head(connection, environment, last),
        check_commands(connection, environment),
    ):
        async for difference in check:
            findings.add(difference)

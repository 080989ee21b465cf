"""Builds the projection anew from the event log beside the live one, and puts it in its place."""

import asyncio
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import asyncpg

from services.composer.recovery.baseline import lay_out_baseline, read_horizons
from services.composer.recovery.differences import Findings, compare, count_resources, list_environments
from services.composer.recovery.progress import Progress
from services.composer.recovery.replay import BEGINNING, Piece, Place, keep_rows, read_heads, read_places, replay
from services.composer.recovery.scratch import discard, lock_rebuild, note_replayed, open_lasting
from services.composer.recovery.sessions import patient_connection
from services.kit.settings import Settings
from services.kit.statements import load_queries

SHORT_EVENTS = 500
ROUNDS = 20
SWAPS = 20
SWAP_AGAIN_S = 1.0
BUSY = (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError)

_sql = load_queries(str(Path(__file__).with_name("swap.py")))


class RefusedRebuildError(Exception):
    """The projection cannot be rebuilt; the message says why and what to do. Nothing was changed."""


@dataclass(slots=True)
class Rebuilt:
    """What was replayed in this run, and how many resources there are."""

    environments: int = 0
    events: int = 0
    went_on: bool = False
    resources: int = 0


class _Rebuild:
    """One run: how far each environment was replayed, and what it has done itself."""

    def __init__(self, connection: "asyncpg.Connection[asyncpg.Record]", progress: Progress) -> None:
        self.connection = connection
        self.places: dict[str, Place] = {}
        self.done = Rebuilt()
        self._progress = progress

    async def open(self, *, restart: bool) -> None:
        """Have tables beside the live ones, which nobody else fills."""
        if not await lock_rebuild(self.connection):
            raise RefusedRebuildError("another rebuild is under way; wait until it is done, or end it.")
        self.places = await open_lasting(self.connection, restart=restart)
        self.done.went_on = bool(self.places)
        if self.done.went_on:
            self._progress.say("Going on with a rebuild that was interrupted.")

    async def fill(self) -> None:
        """Replay until little is behind; Postgres adds what keeps the tables sound."""
        ends = await self._read_ends()
        self._progress.begin("replaying", sum(ends.values()), sum(place.sequence for place in self.places.values()))
        await self._replay_to(ends)
        try:
            await _sql.add_foreign_keys(self.connection)
        except asyncpg.ForeignKeyViolationError as error:
            raise RefusedRebuildError(f"the event log does not make a sound projection: {error.message}.") from error
        for _ in range(ROUNDS):
            if await self.catch_up() <= SHORT_EVENTS:
                return

    async def catch_up(self) -> int:
        """Replay what was decided meanwhile; return how many events."""
        before = self.done.events
        await self._replay_to(await self._read_ends())
        return self.done.events - before

    async def demand_heads(self) -> None:
        """Refuse a log that lacks the end of a history: sequences that were told would be used again."""
        for environment, head in (await read_heads(self.connection)).items():
            last = self.places.get(environment, BEGINNING).sequence
            if head > last:
                raise RefusedRebuildError(
                    f"the history of '{environment}' ends at {last} in the event log, but {head} events were told. "
                    "Restore a backup whose event log is whole."
                )

    async def _read_ends(self) -> dict[str, int]:
        """Return where each history ends: in the log, or where it was pruned when nothing is left of it there."""
        return await read_horizons(self.connection) | await read_places(self.connection)

    async def _begin(self, environment: str, reached: Place) -> Place:
        """Return where an environment goes on: where it was, unless that was pruned since."""
        async with self.connection.transaction():
            place = await lay_out_baseline(self.connection, environment, reached)
            if place != reached:
                await note_replayed(self.connection, environment, place)
        self._progress.advance(place.sequence - reached.sequence)
        return place

    async def _replay_to(self, ends: dict[str, int]) -> None:
        for environment, end in ends.items():
            place = self.places.get(environment, BEGINNING)
            if place.sequence < end:
                place = self.places[environment] = await self._begin(environment, place)
                async for piece in replay(self.connection, environment, place, end, partial(self._keep, environment)):
                    self.places[environment] = piece.place
                    self.done.events += piece.events
                    self._progress.advance(piece.events)
        self.done.environments = len(self.places)

    async def _keep(self, environment: str, piece: Piece) -> None:
        _demand_sound(environment, piece.problems)
        async with self.connection.transaction():
            await keep_rows(self.connection, piece)
            await note_replayed(self.connection, environment, piece.place)


async def rebuild(settings: Settings, progress: Progress, *, restart: bool = False) -> Rebuilt:
    """Build the projection anew and swap it in, while the system runs; an interrupted run is gone on with.

    Raises RefusedRebuildError, and one of POSTGRES_TROUBLE: nothing is swapped then.
    """
    async with patient_connection(settings.postgres) as connection:
        work = _Rebuild(connection, progress)
        await work.open(restart=restart)
        await work.fill()
        await _swap(work, progress)
        return work.done


async def rehearse(settings: Settings, progress: Progress) -> Findings:
    """Build the projection anew, and tell what a swap would change; nothing is swapped, and nothing is left."""
    async with patient_connection(settings.postgres) as connection:
        work = _Rebuild(connection, progress)
        await work.open(restart=True)
        await work.fill()
        findings = Findings()
        async with connection.transaction(isolation="repeatable_read"):
            await work.catch_up()
            await work.demand_heads()
            known = await list_environments(connection)
            for environment in known:
                async for difference in compare(connection, environment):
                    findings.add(difference)
            findings.environments, findings.events = len(known), work.done.events
            findings.resources = await count_resources(connection)
        await discard(connection)
        return findings


async def _swap(work: _Rebuild, progress: Progress) -> None:
    """Swap in one transaction; one that would wait for readers is given up and tried again."""
    for attempt in range(1, SWAPS + 1):
        try:
            await _swap_once(work)
        except BUSY:
            if attempt == SWAPS:
                raise
            progress.say("The tables are in use; trying to swap again.")
            await asyncio.sleep(SWAP_AGAIN_S)
        else:
            return


async def _swap_once(work: _Rebuild) -> None:
    await work.catch_up()
    work.done.resources = await count_resources(work.connection)
    places = dict(work.places)
    try:
        async with work.connection.transaction():
            await _sql.fence(work.connection)
            await work.catch_up()
            await work.demand_heads()
            await _sql.swap(work.connection)
    except BaseException:
        work.places = places
        raise


def _demand_sound(environment: str, problems: list[str]) -> None:
    if problems:
        raise RefusedRebuildError(
            f"the event log of '{environment}' cannot be replayed: {problems[0]}. Restore a backup whose event log is "
            "whole, or use the version that wrote it."
        )

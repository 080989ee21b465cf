"""The tables that a replay fills: temporary ones for verify, lasting ones beside the live ones for rebuild."""

import hashlib
from importlib.metadata import version

from events.envelope import Position
from services.composer.recovery.replay import Place
from services.kit.postgres import Connection
from services.kit.schema import known_migrations
from services.kit.statements import load_queries

_sql = load_queries(__file__)


async def make_temporary(connection: Connection) -> None:
    """Make tables that end with the session."""
    await _sql.make_temporary(connection)


async def lock_rebuild(connection: Connection) -> bool:
    """Return whether this session is the only one that rebuilds; then nothing is pruned as long as it lives."""
    locked: bool = await _sql.lock_rebuild(connection)
    if locked:
        await _sql.hold_histories(connection)
    return locked


async def open_lasting(connection: Connection, *, restart: bool) -> dict[str, Place]:
    """Make the tables of a rebuild, or go on with those of one that was interrupted; return how far it was.

    What another version has made is not gone on with.
    """
    origin = _origin()
    if restart or await _sql.find_origin(connection) != origin:
        async with connection.transaction():
            await _sql.discard(connection)
            await _sql.make_lasting(connection)
            await _sql.tell_origin(connection, origin=origin)
            await _sql.mark_origin(connection)
    await _sql.use_lasting(connection)
    return await read_replayed(connection)


async def discard(connection: Connection) -> None:
    """Drop the tables of a rebuild."""
    await _sql.discard(connection)


async def read_replayed(connection: Connection) -> dict[str, Place]:
    """Return how far each environment was replayed."""
    return {
        row["environment"]: Place(row["sequence"], row["partition"], Position(row["log_offset"], row["log_index"]))
        async for row in _sql.read_replayed(connection)
    }


async def note_replayed(connection: Connection, environment: str, place: Place) -> None:
    """Note how far an environment was replayed, in the transaction that keeps the rows."""
    await _sql.note_replayed(
        connection,
        environment=environment,
        sequence=place.sequence,
        partition=place.partition,
        log_offset=place.position.offset,
        log_index=place.position.index,
    )


def _origin() -> str:
    migrations = hashlib.sha256("\n".join(sorted(known_migrations().values())).encode()).hexdigest()[:16]
    return f"{version('pipeloom')} {migrations}"

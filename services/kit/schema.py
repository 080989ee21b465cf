"""Which migrations this version has, and whether a database has them all."""

import hashlib
from pathlib import Path

import asyncpg
import structlog

from services.kit.postgres import POSTGRES_TROUBLE, connect
from services.kit.process import StartError
from services.kit.settings import PostgresSettings

MIGRATIONS = Path(__file__).resolve().parents[2] / "schemas" / "migrations"
APPLIED = "SELECT migration_id FROM _yoyo_migration"
CLOSE_S = 1.0

log = structlog.get_logger()


def known_migrations() -> dict[str, str]:
    """Return the digest of each migration's content, by its name."""
    files = [file for file in MIGRATIONS.glob("*.sql") if not file.name.endswith(".rollback.sql")]
    return {file.stem: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


async def demand_migrated(postgres: PostgresSettings) -> None:
    """Refuse a database that lacks migrations; one that does not answer is left to those who ask it later.

    A database that has more is of a newer version, whose processes may run already. Raises StartError.
    """
    try:
        applied = await _applied(postgres)
    except POSTGRES_TROUBLE as error:
        log.warning("Postgres does not tell whether its tables are up to date", error=repr(error))
        return
    missing = sorted(known_migrations().keys() - applied)
    if missing:
        raise StartError(f"the database lacks the migrations {', '.join(missing)}; run `pipeloom init` first")


async def _applied(postgres: PostgresSettings) -> set[str]:
    connection = await connect(postgres)
    try:
        return {row["migration_id"] for row in await connection.fetch(APPLIED)}
    except asyncpg.UndefinedTableError:
        return set()
    finally:
        await connection.close(timeout=CLOSE_S)

"""Brings the database schema up to date; the migrations are SQL files under schemas/migrations."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yoyo
from psycopg.errors import LockNotAvailable

from services.kit.schema import APPLIED, MIGRATIONS, known_migrations
from services.kit.settings import PostgresSettings

LOCK = "SELECT pg_advisory_lock(hashtext('pipeloom migrations'))"
LOCK_TIMEOUT_S = 60.0
COLUMNS = "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = current_schema()"
# Beside yoyo's own table, which knows the names of what was applied and not the content.
KEEP = "CREATE TABLE IF NOT EXISTS applied_migration (id text PRIMARY KEY, sha256 text NOT NULL)"
NOTE = (
    "INSERT INTO applied_migration (id, sha256) VALUES (:id, :sha256) "
    "ON CONFLICT (id) DO UPDATE SET sha256 = excluded.sha256"
)

_TABLE = re.compile(r"CREATE TABLE (\w+) \(\n(.*?)\n\);", re.DOTALL)
_COLUMN = re.compile(r"^    ([a-z_]+) ", re.MULTILINE)  # keys and constraints are in upper case


class UnusableDatabaseError(Exception):
    """A database that cannot be migrated; the message says why and what to do."""


class MigrationsLocked(UnusableDatabaseError):  # noqa: N818 - the name says what happened
    """Another process has been migrating this database all the time that was waited for it."""


def migrate(postgres: PostgresSettings) -> list[str]:
    """Apply the migrations that were not applied yet, one process at a time; return their names.

    Raises MigrationsLocked when another process does not finish in time, and UnusableDatabaseError for a database
    of another version.
    """
    logging.getLogger("yoyo").setLevel(logging.WARNING)
    dsn = postgres.dsn.get_secret_value()
    _, _, rest = dsn.partition("://")
    backend = yoyo.get_backend(f"postgresql+psycopg://{rest}")
    migrations = yoyo.read_migrations(str(MIGRATIONS))
    with _locked(backend):
        pending = backend.to_apply(migrations)
        _demand_ours(backend, {migration.id for migration in pending})
        _demand_columns(backend, [migration for migration in migrations if migration not in pending])
        backend.apply_migrations(pending)
        _note(backend)
    return [migration.id for migration in pending]


def _demand_ours(backend: Any, pending: set[str]) -> None:
    """Refuse a database to which other migrations were applied than those that are here."""
    sums = known_migrations()
    applied = {str(name) for (name,) in backend.execute(APPLIED).fetchall()}
    unknown = sorted(applied - sums.keys())
    if unknown:
        raise UnusableDatabaseError(
            f"the database is of another version of Pipeloom: the migrations {', '.join(unknown)} were applied to it, "
            "and this version does not have them; use that version, or another database"
        )
    with backend.transaction():
        backend.execute(KEEP)
    noted = backend.execute("SELECT id, sha256 FROM applied_migration").fetchall()
    edited = sorted(name for name, digest in noted if name not in pending and sums.get(name) != digest)
    if edited:
        raise UnusableDatabaseError(
            f"the database is of another version of Pipeloom: the migrations {', '.join(edited)} were applied to it "
            "with another content than they have here; use that version, or another database"
        )


def _demand_columns(backend: Any, applied: list[Any]) -> None:
    """Refuse a database whose tables lack columns: a migration was edited before the first release kept digests."""
    there = {tuple(row) for row in backend.execute(COLUMNS).fetchall()}
    missing = {column for each in applied for column in columns_made_by(Path(each.path))} - there
    if missing:
        raise UnusableDatabaseError(
            "the database was made by an unreleased version of Pipeloom: its tables lack "
            f"{', '.join(sorted(map('.'.join, missing)))}; name an empty database (`pipeloom up`: another --data-dir)"
        )


def columns_made_by(migration: Path) -> set[tuple[str, str]]:
    """Return table and name of each column that a migration's tables are created with."""
    tables = _TABLE.findall(migration.read_text(encoding="utf-8"))
    return {(table, column) for table, columns in tables for column in _COLUMN.findall(columns)}


def _note(backend: Any) -> None:
    """Keep what was applied; what was applied before this was kept is believed to be what is here."""
    with backend.transaction():
        for name, digest in known_migrations().items():
            backend.execute(NOTE, {"id": name, "sha256": digest})


@contextmanager
def _locked(backend: Any) -> Iterator[None]:
    """Hold a lock that Postgres takes back when this process dies; the row that yoyo locks with would stay."""
    try:
        backend.execute(f"SET lock_timeout = '{LOCK_TIMEOUT_S:g}s'")
        try:
            backend.execute(LOCK)
        except LockNotAvailable as error:
            raise MigrationsLocked(
                f"another process has been migrating this database for more than {LOCK_TIMEOUT_S:g} s; "
                "wait until it has finished, or stop it, and try again"
            ) from error
        backend.execute("RESET lock_timeout")
        backend.break_lock()  # yoyo locks its own tables by row all the same; only a killed process can have left one
        yield
    finally:
        backend.connection.close()

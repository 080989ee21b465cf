"""Brings the database schema up to date; the migrations are SQL files under schemas/migrations."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import yoyo
from psycopg.errors import LockNotAvailable

from services.kit.schema import APPLIED, MIGRATIONS, known_migrations
from services.kit.settings import PostgresSettings

LOCK = "SELECT pg_advisory_lock(hashtext('pipeloom migrations'))"
LOCK_TIMEOUT_S = 60.0
# Beside yoyo's own table, which knows the names of what was applied and not the content.
KEEP = "CREATE TABLE IF NOT EXISTS applied_migration (id text PRIMARY KEY, sha256 text NOT NULL)"
NOTE = (
    "INSERT INTO applied_migration (id, sha256) VALUES (:id, :sha256) "
    "ON CONFLICT (id) DO UPDATE SET sha256 = excluded.sha256"
)


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

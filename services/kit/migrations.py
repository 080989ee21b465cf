"""Brings the database schema up to date; the migrations are SQL files under schemas/migrations."""

import logging
from collections.abc import Iterable, Iterator
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
NOTED = "SELECT id, sha256 FROM applied_migration"
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
        with backend.transaction():
            backend.execute(KEEP)
        _demand_ours(backend)
        _note(backend, [migration.id for migration in pending])
        backend.apply_migrations(pending)
    return [migration.id for migration in pending]


def _demand_ours(backend: Any) -> None:
    """Refuse a database to which other migrations were applied than those that are here, or others of their content."""
    sums = known_migrations()
    applied = {str(name) for (name,) in backend.execute(APPLIED).fetchall()}
    noted = {str(name): str(digest) for name, digest in backend.execute(NOTED).fetchall()}
    if unknown := applied - sums.keys():
        raise _other_version(unknown, "and this version does not have them")
    if edited := {name for name in applied if noted.get(name) != sums[name]}:
        raise _other_version(edited, "with another content than they have here")


def _other_version(names: set[str], why: str) -> UnusableDatabaseError:
    return UnusableDatabaseError(
        f"the database is of another version of Pipeloom: the migrations {', '.join(sorted(names))} were applied to "
        f"it, {why}; use that version, or an empty database (`pipeloom up`: another --data-dir)"
    )


def _note(backend: Any, names: Iterable[str]) -> None:
    """Keep the content of what is about to be applied: killed meanwhile, the next attempt finds it pending still."""
    sums = known_migrations()
    with backend.transaction():
        for name in names:
            backend.execute(NOTE, {"id": name, "sha256": sums[name]})


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

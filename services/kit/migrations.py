"""Brings the database schema up to date; the migrations are SQL files under schemas/migrations."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yoyo
from psycopg.errors import LockNotAvailable

from services.kit.settings import PostgresSettings

MIGRATIONS = Path(__file__).resolve().parents[2] / "schemas" / "migrations"
LOCK = "SELECT pg_advisory_lock(hashtext('pipeloom migrations'))"
LOCK_TIMEOUT_S = 60.0


class MigrationsLocked(Exception):  # noqa: N818 - the name says what happened
    """Another process has been migrating this database all the time that was waited for it."""


def migrate(postgres: PostgresSettings) -> list[str]:
    """Apply the migrations that were not applied yet, one process at a time; return their names.

    Raises MigrationsLocked when another process does not finish in time.
    """
    logging.getLogger("yoyo").setLevel(logging.WARNING)
    dsn = postgres.dsn.get_secret_value()
    _, _, rest = dsn.partition("://")
    backend = yoyo.get_backend(f"postgresql+psycopg://{rest}")
    migrations = yoyo.read_migrations(str(MIGRATIONS))
    with _locked(backend):
        pending = backend.to_apply(migrations)
        backend.apply_migrations(pending)
    return [migration.id for migration in pending]


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

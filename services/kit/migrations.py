"""Brings the database schema up to date; the migrations are SQL files under schemas/migrations."""

import logging
from pathlib import Path

import yoyo

from services.kit.settings import PostgresSettings

MIGRATIONS = Path(__file__).resolve().parents[2] / "schemas" / "migrations"


def migrate(postgres: PostgresSettings) -> list[str]:
    """Apply the migrations that were not applied yet, under yoyo's lock; return their names."""
    logging.getLogger("yoyo").setLevel(logging.WARNING)
    dsn = postgres.dsn.get_secret_value()
    _, _, rest = dsn.partition("://")
    backend = yoyo.get_backend(f"postgresql+psycopg://{rest}")
    migrations = yoyo.read_migrations(str(MIGRATIONS))
    try:
        with backend.lock():
            pending = backend.to_apply(migrations)
            backend.apply_migrations(pending)
    finally:
        backend.connection.close()
    return [migration.id for migration in pending]

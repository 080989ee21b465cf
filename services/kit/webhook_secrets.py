"""The secrets that sign what webhooks send."""

import base64
import secrets
from uuid import UUID

import asyncpg

from services.kit.sealing import Sealer

SECRET_PREFIX = "whsec_"  # noqa: S105 - what every secret begins with
SECRET_BYTES = 32


def new_secret() -> str:
    """Return a new signing secret in the form of Standard Webhooks."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def seal_secret(sealer: Sealer, environment: str, webhook_id: UUID, secret: str) -> str:
    """Return a signing secret sealed for its webhook."""
    return sealer.seal(secret, context=_context(environment, webhook_id))


def open_secret(sealer: Sealer, row: asyncpg.Record) -> str:
    """Return the signing secret of a webhook's row. Raises SealBroken when our keys do not open it."""
    return sealer.open(row["sealed_secret"], context=_context(row["environment"], row["id"]))


def _context(environment: str, webhook_id: UUID) -> str:
    return f"environments/{environment}/webhooks/{webhook_id}/secret"

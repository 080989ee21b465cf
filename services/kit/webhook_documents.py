"""Webhooks and deliveries as their readers see them."""

from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from events.envelope import timestamp
from events.refusals import Code, Refused


def webhook_document(row: asyncpg.Record) -> dict[str, Any]:
    """Return a webhook as its readers see it: without its secret."""
    return {
        "id": str(row["id"]),
        "url": row["url"],
        "types": row["types"],
        "subject": row["subject"],
        "status": row["status"],
        "disabled_reason": row["disabled_reason"],
        "disabled_at": _moment(row["disabled_at"]),
        "failing_since": _moment(row["failing_since"]),
        "created_by": row["created_by"],
        "created_at": _moment(row["created_at"]),
    }


def delivery_document(row: asyncpg.Record) -> dict[str, Any]:
    """Return a delivery as its readers see it."""
    return {
        "sequence": row["sequence"],
        "event_id": row["event_id"],
        "type": row["type"],
        "subject": row["subject"],
        "status": row["status"],
        "attempts": row["attempts"],
        "next_attempt_at": _moment(row["next_attempt_at"]),
        "last_attempt_at": _moment(row["last_attempt_at"]),
        "last_status_code": row["last_status_code"],
        "last_error": row["last_error"],
    }


def webhook_not_found(webhook_id: UUID) -> Refused:
    """Return the refusal of a webhook that the environment does not have."""
    return Refused(
        Code.WEBHOOK_NOT_FOUND,
        f"There is no webhook {webhook_id} in this environment; GET /api/v1/webhooks lists them.",
        webhook_id=str(webhook_id),
    )


def _moment(value: datetime | None) -> str | None:
    return None if value is None else timestamp(value)

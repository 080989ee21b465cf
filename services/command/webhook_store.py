"""Writes webhooks: control data, which goes straight to Postgres and is no command."""

from typing import Any
from uuid import UUID

import asyncpg

from events.refusals import Code, Refused
from services.kit.postgres import Connection
from services.kit.statements import load_queries
from services.kit.webhook_documents import webhook_not_found

_sql = load_queries(__file__)


async def create(connection: Connection, most: int, fields: dict[str, Any]) -> asyncpg.Record:
    """Return the new webhook, or the one that a request before made under the same id.

    Raises Refused: too_many_webhooks, command_id_reused when that one was asked for otherwise, or webhook_deleted.
    """
    found = await _sql.lock_environment(connection, environment=fields["environment"])
    taken = await _sql.find(connection, environment=fields["environment"], id=fields["id"])
    if taken is None:
        if await _sql.was_deleted(connection, id=fields["id"]):
            raise Refused(
                Code.WEBHOOK_DELETED,
                f"The webhook {fields['id']}, which this Idempotency-Key made, was deleted. Use a new key for another.",
                webhook_id=str(fields["id"]),
            )
        if found["webhooks"] >= most:
            raise Refused(
                Code.TOO_MANY_WEBHOOKS,
                f"The environment has {found['webhooks']} webhooks, and no more than {most} are possible. "
                "Delete one that is not needed.",
                limit=most,
            )
        made: asyncpg.Record = await _sql.create(connection, **fields)
        return made
    if any(taken[name] != fields[name] for name in ("url", "types", "subject")):
        raise Refused(
            Code.COMMAND_ID_REUSED,
            "The Idempotency-Key was used before with another request. Use a new key for a new request.",
        )
    row: asyncpg.Record = taken
    return row


async def change(connection: Connection, environment: str, webhook_id: UUID, fields: dict[str, Any]) -> asyncpg.Record:
    """Return the webhook with `fields` in the place of what was. Raises Refused webhook_not_found."""
    row = await _sql.find_to_change(connection, environment=environment, id=webhook_id)
    if row is None:
        raise webhook_not_found(webhook_id)
    kept = {name: row[name] for name in ("url", "types", "subject", "status")}
    reason = "A user disabled it."
    changed: asyncpg.Record = await _sql.change(connection, id=webhook_id, reason=reason, **(kept | fields))
    return changed


async def delete(connection: Connection, environment: str, webhook_id: UUID) -> None:
    """Delete a webhook and its deliveries. Raises Refused webhook_not_found."""
    if await _sql.delete(connection, environment=environment, id=webhook_id) is None:
        raise webhook_not_found(webhook_id)


async def redeliver(connection: Connection, environment: str, webhook_id: UUID, sequence: int) -> asyncpg.Record:
    """Return a delivery that is due now. Raises Refused: webhook_not_found, webhook_disabled, delivery_not_found."""
    webhook = await _sql.find_to_change(connection, environment=environment, id=webhook_id)
    if webhook is None:
        raise webhook_not_found(webhook_id)
    if webhook["status"] != "enabled":
        raise Refused(
            Code.WEBHOOK_DISABLED,
            f"The webhook is disabled: {webhook['disabled_reason']} Enable it first, with PATCH "
            f"/api/v1/webhooks/{webhook_id} and the status enabled.",
            webhook_id=str(webhook_id),
        )
    row: asyncpg.Record | None = await _sql.redeliver(connection, id=webhook_id, sequence=sequence)
    if row is None:
        raise Refused(
            Code.DELIVERY_NOT_FOUND,
            f"The webhook has no delivery of the event {sequence}, or it is no longer kept. "
            f"GET /api/v1/webhooks/{webhook_id}/deliveries lists what there is.",
            sequence=sequence,
        )
    return row

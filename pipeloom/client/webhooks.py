"""What is asked about webhooks, as plain values. No command comes of it, so none of it can be submitted."""

from collections.abc import Iterable
from typing import Any

from pipeloom.client.documents import DeletedWebhook, Webhook, WebhookDelivery
from pipeloom.client.requests import Request, path_to
from pipeloom.client.writes import usable_key

COLLECTION = "/webhooks"


def create(url: str, types: Iterable[str] = (), subject: str = "") -> Request[Webhook]:
    """Ask for a webhook."""
    body = {"url": url, "types": list(types) or None, "subject": subject}
    return Request("POST", COLLECTION, dict, body=body, idempotency_key=usable_key(None))


def read_all() -> Request[list[Webhook]]:
    return Request("GET", COLLECTION, list)


def read_one(webhook_id: str) -> Request[Webhook]:
    return Request("GET", path_to(COLLECTION, webhook_id), dict, absent="webhook_not_found")


def change(
    webhook_id: str,
    url: str | None = None,
    types: Iterable[str] | None = None,
    subject: str | None = None,
    status: str | None = None,
) -> Request[Webhook]:
    """Ask for another state of a webhook; what is None stays. Raises ValueError when all of it does."""
    given: dict[str, Any] = {"url": url, "subject": subject, "status": status}
    body = {name: value for name, value in given.items() if value is not None}
    if types is not None:
        body["types"] = list(types) or None
    if not body:
        raise ValueError("nothing is to be changed: give a url, types, a subject or a status")
    return Request("PATCH", path_to(COLLECTION, webhook_id), dict, body=body, idempotency_key=usable_key(None))


def delete(webhook_id: str) -> Request[DeletedWebhook]:
    """Ask for a webhook's deletion."""
    return Request("DELETE", path_to(COLLECTION, webhook_id), dict, idempotency_key=usable_key(None))


def deliveries(webhook_id: str, status: str | None = None) -> Request[list[WebhookDelivery]]:
    """Ask what became of a webhook's deliveries."""
    query = {} if status is None else {"status": status}
    return Request("GET", f"{path_to(COLLECTION, webhook_id)}/deliveries", list, query=query)


def redeliver(webhook_id: str, sequence: int) -> Request[WebhookDelivery]:
    """Ask for one more delivery of an event."""
    path = f"{path_to(COLLECTION, webhook_id)}/deliveries/{int(sequence)}/redeliver"
    return Request("POST", path, dict, idempotency_key=usable_key(None))

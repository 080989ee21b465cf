"""What the processes that keep, tell and serve webhooks have in common: limits, addresses, secrets and documents."""

import base64
import json
import re
import secrets
import socket
from datetime import datetime
from ipaddress import IPv4Address, ip_address
from typing import Any
from uuid import UUID

import asyncpg
import httpx

from events.envelope import timestamp
from events.refusals import Code, Refused
from services.kit.peers import Address, PeerRules
from services.kit.sealing import Sealer
from services.kit.settings import WebhooksSettings

MAX_URL_LENGTH = 2048
SECRET_PREFIX = "whsec_"  # noqa: S105 - what every secret begins with
SECRET_BYTES = 32
PORTS = range(1, 65_536)

_URL = re.compile(r"[!-~]+")


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


def demand_usable_url(text: str, settings: WebhooksSettings) -> None:
    """Raise Refused invalid_webhook_url when `text` is no address that may be called, as far as it says so itself."""
    reason = _why_unusable(text, settings)
    if reason:
        raise Refused(Code.INVALID_WEBHOOK_URL, f"url {reason}.", field="url")


def _why_unusable(text: str, settings: WebhooksSettings) -> str | None:
    if len(text) > MAX_URL_LENGTH:
        return f"is longer than {MAX_URL_LENGTH} characters; use a shorter one"
    if not _URL.fullmatch(text):
        return "has characters that no URL has; percent-encode them, and write a host of other letters in punycode"
    try:
        url = httpx.URL(text)
        port = url.port if url.port is not None else PORTS[0]
    except (httpx.InvalidURL, UnicodeError, ValueError):
        return "is no URL; write it as https://HOST/PATH"
    if url.scheme not in {"http", "https"} or not url.host or port not in PORTS:
        return "is not a URL of the web; write it as https://HOST/PATH"
    if url.scheme == "http" and not settings.allow_http:
        return "begins with http://, where what is sent could be read; use https://"
    if url.userinfo or url.fragment:
        return "has a user, a password or a fragment in it; leave them out: deliveries are signed instead"
    return _why_inside(url.host, PeerRules(settings.allowed_networks))


def _why_inside(host: str, rules: PeerRules) -> str | None:
    address = _literal(host)
    if address is None or rules.allows(address):
        return None
    return (
        f"leads to {address}, which is not a public address; "
        "use a public one, or let the operator name its network in PIPELOOM_WEBHOOKS__ALLOWED_NETWORKS"
    )


def _literal(host: str) -> Address | None:
    """Return the address that `host` is, in any form that a resolver takes for one; None when it is a name."""
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return IPv4Address("127.0.0.1")
    try:
        return ip_address(name)
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(name))
    except OSError:
        return None


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


def json_text(document: Any) -> str:
    """Return a document as the text that is sent."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def webhook_not_found(webhook_id: UUID) -> Refused:
    """Return the refusal of a webhook that the environment does not have."""
    return Refused(
        Code.WEBHOOK_NOT_FOUND,
        f"There is no webhook {webhook_id} in this environment; GET /api/v1/webhooks lists them.",
        webhook_id=str(webhook_id),
    )


def _moment(value: datetime | None) -> str | None:
    return None if value is None else timestamp(value)

"""The URLs that a webhook may have, as far as a URL says so itself."""

import re
import socket
from ipaddress import IPv4Address, ip_address

import httpx

from events.refusals import Code, Refused
from services.kit.peers import Address, PeerRules
from services.kit.settings import WebhooksSettings

MAX_URL_LENGTH = 2048
PORTS = range(1, 65_536)

_URL = re.compile(r"[!-~]+")


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
    address = literal_address(host)
    if address is None or rules.allows(address):
        return None
    return (
        f"leads to {address}, which is not a public address; "
        "use a public one, or let the operator name its network in PIPELOOM_WEBHOOKS__ALLOWED_NETWORKS"
    )


def literal_address(host: str) -> Address | None:
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

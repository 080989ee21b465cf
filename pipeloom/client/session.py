"""Where the service is, who asks, and the access token of the moment."""

import base64
import json
import os
import time
from importlib.metadata import version
from typing import Any

import httpx

from pipeloom.client.errors import NotConfigured
from pipeloom.client.requests import HELD_TIMEOUT_S, Request

API = "/api/v1"
CONNECT_TIMEOUT_S = 5.0
REFRESH_BEFORE_S = 30.0
_HINT = "or load what `pipeloom up` wrote: set -a; . .pipeloom/env; set +a"


class Session:
    """What one client keeps between its calls."""

    def __init__(self, url: str | None, sdk_token: str | None, timeout_s: float) -> None:
        """Take what is given, else the environment's. Raises NotConfigured when either is missing or unusable."""
        self.url = _usable(url or os.environ.get("PIPELOOM_URL"))
        token = sdk_token or os.environ.get("PIPELOOM_SDK_TOKEN") or os.environ.get("CRAFT_AI_SDK_TOKEN")
        if not token:
            raise NotConfigured("not_configured", f"There is no SDK token. Set PIPELOOM_SDK_TOKEN, {_HINT}.")
        self.sdk_token = token
        self._timeout_s = timeout_s
        self._access_token: str | None = None
        self._expires_at = 0.0

    def fresh_token(self) -> str | None:
        """Return the access token, or None when a new one is due."""
        return self._access_token if time.time() < self._expires_at - REFRESH_BEFORE_S else None

    def keep_token(self, access_token: str) -> None:
        """Take a new access token into use."""
        self._access_token = access_token
        self._expires_at = expiry_of(access_token)

    def drop_token(self) -> None:
        """Forget the access token: the service no longer takes it."""
        self._access_token, self._expires_at = None, 0.0

    def arguments(self, request: Request[Any], access_token: str | None) -> dict[str, Any]:
        """Return what httpx needs to send `request`."""
        headers = {"User-Agent": f"pipeloom-client/{version('pipeloom')}", "Accept": "application/json"}
        if access_token is not None:
            headers["Authorization"] = f"Bearer {access_token}"
        if request.idempotency_key is not None:
            headers["Idempotency-Key"] = request.idempotency_key
        return {
            "method": request.method,
            "url": f"{self.url}{API}{request.path}",
            "params": dict(request.query),
            "json": request.body,
            "headers": headers,
            "timeout": httpx.Timeout(self._timeout_of(request), connect=CONNECT_TIMEOUT_S),
        }

    def _timeout_of(self, request: Request[Any]) -> float:
        if request.timeout_s is not None:
            return request.timeout_s
        return max(self._timeout_s, HELD_TIMEOUT_S) if request.is_write else self._timeout_s


def expiry_of(access_token: str) -> float:
    """Return when a JWT expires, in seconds since 1970; 0 when it does not say so, so that it serves only once."""
    try:
        payload = access_token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return float(claims["exp"])
    except (IndexError, KeyError, TypeError, ValueError):
        return 0.0


def _usable(url: str | None) -> str:
    if not url:
        raise NotConfigured("not_configured", f"There is no address of Pipeloom. Set PIPELOOM_URL, {_HINT}.")
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise NotConfigured("not_configured", f"The address '{url}' cannot be used: {error}.") from error
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise NotConfigured("not_configured", f"The address '{url}' must begin with http:// or https:// and a host.")
    return url.rstrip("/")

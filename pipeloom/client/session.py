"""Where the service is, who asks, and the access token of the moment."""

import base64
import json
import os
import time
from collections.abc import Callable
from importlib.metadata import version
from typing import Any, TypeVar
from urllib.parse import urljoin

import httpx

from pipeloom.client.errors import NotConfigured
from pipeloom.client.forms import form_fields
from pipeloom.client.proxies import proxy_for, without_password
from pipeloom.client.requests import HELD_TIMEOUT_S, Request

API = "/api/v1"
CONNECT_TIMEOUT_S = 5.0
REFRESH_BEFORE_S = 30.0
H = TypeVar("H", httpx.Client, httpx.AsyncClient)
_HINT = "or load what `pipeloom up` wrote: set -a; . .pipeloom/env; set +a"


class Session:
    """What one client keeps between its calls."""

    def __init__(self, url: str | None, sdk_token: str | None, timeout_s: float) -> None:
        """Take what is given, else the environment's. Raises NotConfigured when either is missing or unusable."""
        self.url = _usable(url or os.environ.get("PIPELOOM_URL"))
        token = sdk_token or os.environ.get("PIPELOOM_SDK_TOKEN") or os.environ.get("CRAFT_AI_SDK_TOKEN")
        if not token:
            raise NotConfigured("not_configured", f"There is no SDK token. Set PIPELOOM_SDK_TOKEN, {_HINT}.")
        if not (token.isascii() and token.isprintable()):
            raise NotConfigured("not_configured", "The SDK token holds characters that no token has. Copy it anew.")
        self.sdk_token = token
        self._proxy: str | None = None
        self._timeout_s = timeout_s
        self._access_token: str | None = None
        self._expires_at = 0.0

    def open(self, kind: Callable[..., H], transport: Any) -> H:
        """Return httpx's client, through the proxy of the environment unless the service is on this machine."""
        if transport is not None:
            return kind(transport=transport, trust_env=False)
        proxy = proxy_for(httpx.URL(self.url))
        self._proxy = proxy and without_password(proxy)
        try:
            return kind(proxy=proxy, verify=httpx.create_ssl_context(), trust_env=False)
        except (ImportError, ValueError, httpx.InvalidURL) as error:
            raise NotConfigured(
                "not_configured",
                f"The proxy {self._proxy} cannot be used: {str(error).rstrip('.')}. Mend HTTP_PROXY, HTTPS_PROXY or "
                "ALL_PROXY, or add the host to NO_PROXY.",
            ) from error

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
        if request.prefer is not None:
            headers["Prefer"] = request.prefer
        headers |= request.headers
        return {
            "method": request.method,
            "url": self._address_of(request),
            **({"params": dict(request.query)} if request.query else {}),
            **_body(request),
            "headers": headers,
            "timeout": httpx.Timeout(self._timeout_of(request), connect=CONNECT_TIMEOUT_S),
            "extensions": {"proxy": self._proxy},
        }

    def _address_of(self, request: Request[Any]) -> str:
        is_ours = request.shape is not bytes
        return f"{self.url}{API}{request.path}" if is_ours else urljoin(f"{self.url}/", request.path)

    def _timeout_of(self, request: Request[Any]) -> float:
        if request.timeout_s is not None:
            return request.timeout_s
        return max(self._timeout_s, HELD_TIMEOUT_S) if request.is_write else self._timeout_s


def _body(request: Request[Any]) -> dict[str, Any]:
    if request.upload is None:
        return {"json": request.body}
    return {"data": form_fields(request.body or {})}


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

"""A git client for https that reaches allowed hosts only, reads a bounded amount, and ends when nobody waits."""

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

from dulwich.client import AbstractHttpGitClient, default_urllib3_manager, default_user_agent_string
from urllib3 import BaseHTTPResponse, HTTPConnectionPool, PoolManager, ProxyManager
from urllib3.exceptions import HTTPError, MaxRetryError
from urllib3.util import Retry

from events.refusals import FailureCode
from services.builder.budget import SILENCE_S, Budget
from services.builder.errors import Unbuildable, Unreachable
from services.builder.wording import quoted

HTTPS_PORT = 443
# Follows redirects; who calls tries again.
ONCE = Retry(3, connect=0, read=0, other=0)


class _AllowedHosts(PoolManager):
    """Connects to allowed hosts only. Redirects come by here too, wherever they lead."""

    allowed_hosts: frozenset[str] = frozenset()

    def connection_from_host(
        self,
        host: str | None,
        port: int | None = None,
        scheme: str | None = "http",
        pool_kwargs: dict[str, Any] | None = None,
    ) -> HTTPConnectionPool:
        name = str(host) if port in {None, HTTPS_PORT} else f"{host}:{port}"
        if scheme != "https" or name not in self.allowed_hosts:
            raise Unbuildable(
                FailureCode.SOURCE_NOT_ALLOWED,
                f"The repository's host leads to {quoted(f'{scheme}://{name}')}, which is not allowed; "
                "set repository_url to where the repository is, on an allowed host.",
            )
        return super().connection_from_host(host, port, scheme, pool_kwargs)


class _AllowedHostsByProxy(_AllowedHosts, ProxyManager):
    """The same through the proxy that the environment names."""


class GuardedGitClient(AbstractHttpGitClient):
    """Speaks git's smart protocol over https without credentials, configuration or prompts."""

    def __init__(self, url: str, allowed_hosts: Sequence[str], abandoned: threading.Event) -> None:
        super().__init__(url, quiet=True)
        self._pool = default_urllib3_manager(None, _AllowedHosts, _AllowedHostsByProxy, base_url=url, timeout=SILENCE_S)
        cast("_AllowedHosts", self._pool).allowed_hosts = frozenset(allowed_hosts)
        self._budget = Budget(abandoned)

    def _http_request(
        self,
        url: str,
        headers: dict[str, str] | None = None,
        data: bytes | Iterator[bytes] | None = None,
        raise_for_status: bool = True,  # noqa: ARG002 - dulwich's signature
    ) -> tuple[Any, Callable[[int], bytes]]:
        method = "GET" if data is None else "POST"
        sent = {"User-Agent": default_user_agent_string(), "Pragma": "no-cache", **(headers or {})}
        try:
            response = self._pool.request(method, url, headers=sent, body=data, retries=ONCE, preload_content=False)
        except HTTPError as error:
            raise _silent(error) from error
        _demand_git(response, url)
        # dulwich reads these two attributes of its responses.
        answer = cast("Any", response)
        answer.content_type = response.headers.get("Content-Type")
        answer.redirect_location = "" if response.geturl() == url else response.geturl()
        return answer, lambda size=None: self._read(response, size)

    def _read(self, response: BaseHTTPResponse, size: int | None) -> bytes:
        self._budget.check()
        try:
            data = response.read(size)
        except HTTPError as error:
            raise _silent(error) from error
        self._budget.take(len(data))
        return data


def _silent(error: HTTPError) -> Unreachable:
    """Return what the host's silence is told as: the cause, without urllib3's account of its own attempts."""
    return Unreachable(quoted(str(error.reason if isinstance(error, MaxRetryError) else error)))


def _demand_git(response: BaseHTTPResponse, url: str) -> None:
    status = response.status
    if status >= 500 or status == 429:
        raise Unreachable(f"{quoted(url)} answered {status}")
    if status in {401, 403, 404}:
        raise Unbuildable(
            FailureCode.REPOSITORY_NOT_FOUND,
            f"There is no repository at repository_url that can be read without credentials (the host answered "
            f"{status}); mend the URL or make the repository public.",
        )
    if status != 200 or not response.headers.get("Content-Type", "").startswith("application/x-git-"):
        raise Unbuildable(
            FailureCode.REPOSITORY_NOT_FOUND,
            f"repository_url leads to something that is no git repository (the host answered {status}); mend the URL.",
        )

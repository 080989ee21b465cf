"""Connects to checked addresses only, so that no name, however it is resolved, leads to the inside."""

from collections.abc import Iterable, Sequence
from ipaddress import ip_address

import httpcore

from services.kit.peers import Address, PeerRules

MOST_TRIED = 4


class PeerNotAllowedError(httpcore.ConnectError):
    """The host has no address that may be called."""


class CheckedBackend(httpcore.AsyncNetworkBackend):
    """Checks the addresses that a name was found to have, and connects to exactly those; TLS still demands the name."""

    def __init__(self, rules: PeerRules, found: Sequence[Address]) -> None:
        self._rules = rules
        self._found = found
        self._plain = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Return a connection to the first allowed address that takes it. Raises httpcore.ConnectError."""
        allowed = [address for address in self._found if self._rules.allows(address)]
        if not allowed:
            raise PeerNotAllowedError(
                f"{host} has no public address, and none in a network that PIPELOOM_WEBHOOKS__ALLOWED_NETWORKS names"
            )
        trouble: Exception | None = None
        for address in allowed[:MOST_TRIED]:
            try:
                stream = await self._plain.connect_tcp(str(address), port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                trouble = error
            else:
                return await self._checked(stream)
        raise httpcore.ConnectError(f"nothing answered at {host}:{port} ({trouble})")

    async def _checked(self, stream: httpcore.AsyncNetworkStream) -> httpcore.AsyncNetworkStream:
        """Return a connection whose other end is one that may be called: the last word is that of the socket."""
        peer = stream.get_extra_info("server_addr")
        if peer and self._rules.allows(ip_address(peer[0])):
            return stream
        await stream.aclose()
        raise PeerNotAllowedError(f"the connection leads to {peer}, which may not be called")

"""Connections go to exactly the addresses that were checked, however a name is resolved."""

from collections.abc import Iterable
from ipaddress import ip_address, ip_network
from typing import Any

import httpcore
import pytest

from services.kit.peers import PeerRules
from services.webhooks.network import CheckedBackend, PeerNotAllowedError

INSIDE, PUBLIC, OTHER = "169.254.169.254", "93.184.216.34", "2606:4700:4700::1111"


class Stream(httpcore.AsyncNetworkStream):
    """A connection whose other end is `peer`."""

    def __init__(self, peer: str) -> None:
        self.peer = peer
        self.is_closed = False

    def get_extra_info(self, info: str) -> Any:
        return (self.peer, 443) if info == "server_addr" else None

    async def aclose(self) -> None:
        self.is_closed = True


class Network(httpcore.AsyncNetworkBackend):
    """Takes connections to some addresses, and remembers to which it was asked for."""

    def __init__(self) -> None:
        self.dialled: list[str] = []
        self.deaf: set[str] = set()
        self.leads_to: dict[str, str] = {}
        self.streams: list[Stream] = []

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        self.dialled.append(host)
        if host in self.deaf:
            raise httpcore.ConnectError("connection refused")
        self.streams.append(Stream(self.leads_to.get(host, host)))
        return self.streams[-1]


@pytest.fixture
def network() -> Network:
    return Network()


def backend(network: Network, monkeypatch: pytest.MonkeyPatch, *resolved: str, allowed: str = "") -> CheckedBackend:
    """Return the backend over `network` for a name that was found to have those addresses."""
    monkeypatch.setattr(httpcore, "AnyIOBackend", lambda: network)
    rules = PeerRules([ip_network(allowed)] if allowed else [])
    return CheckedBackend(rules, [ip_address(address) for address in resolved])


async def test_a_name_is_dialled_by_the_address_that_was_checked(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    await backend(network, monkeypatch, PUBLIC).connect_tcp("hooks.example", 443)
    assert network.dialled == [PUBLIC]


async def test_an_inside_address_is_never_dialled(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PeerNotAllowedError, match=r"hooks\.example has no public address"):
        await backend(network, monkeypatch, INSIDE, "::1").connect_tcp("hooks.example", 443)
    assert network.dialled == []


async def test_of_several_addresses_only_public_ones_are_tried(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    network.deaf = {OTHER}
    await backend(network, monkeypatch, INSIDE, OTHER, PUBLIC).connect_tcp("hooks.example", 443)
    assert network.dialled == [OTHER, PUBLIC]


async def test_when_none_answers_it_is_told(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    network.deaf = {PUBLIC}
    with pytest.raises(httpcore.ConnectError, match=r"nothing answered at hooks\.example:443 \(connection refused\)"):
        await backend(network, monkeypatch, PUBLIC).connect_tcp("hooks.example", 443)


async def test_a_socket_that_ended_up_inside_is_closed_before_anything_is_sent(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    network.leads_to = {PUBLIC: "10.0.0.1"}
    with pytest.raises(PeerNotAllowedError, match="may not be called"):
        await backend(network, monkeypatch, PUBLIC).connect_tcp("hooks.example", 443)
    assert network.streams[0].is_closed


async def test_a_network_that_is_allowed_is_dialled(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    await backend(network, monkeypatch, "10.1.2.3", allowed="10.1.0.0/16").connect_tcp("hooks.internal", 443)
    assert network.dialled == ["10.1.2.3"]

"""Which addresses may be called on behalf of a user: the public ones, and the networks that the settings allow."""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# What older releases of Python call global and is not reached over the internet, or reaches the inside.
_NOT_PUBLIC = tuple(
    map(ip_network, ("192.0.0.0/24", "192.88.99.0/24", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))
)
_PUBLIC_IPV6 = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")
_IPV4_COMPATIBLE = IPv6Network("::/96")


class PeerRules:
    """Tells public addresses from inside ones, whatever form the inside one is written in."""

    def __init__(self, allowed: Iterable[Network]) -> None:
        self._allowed = tuple(allowed)

    def allows(self, address: Address) -> bool:
        """Tell whether `address` may be called. An IPv4 address inside an IPv6 one is judged as what it is."""
        inner = _inner(address)
        return any(each in network for network in self._allowed for each in (address, inner)) or _is_public(inner)


def _inner(address: Address) -> Address:
    """Return the IPv4 address that a gateway would make of `address`, else `address` itself."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped or address.sixtofour:
        return address.ipv4_mapped or address.sixtofour or address
    if address in _NAT64 or (address in _IPV4_COMPATIBLE and int(address) > 1):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _is_public(address: Address) -> bool:
    if any(address in network for network in _NOT_PUBLIC):
        return False
    if isinstance(address, IPv6Address) and address not in _PUBLIC_IPV6:
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved

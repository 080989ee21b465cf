"""Only public addresses may be called, in whatever form an inside one is written."""

from ipaddress import ip_address, ip_network

import pytest

from services.kit.peers import PeerRules

INSIDE = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.0.9",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "203.0.113.9",
    "224.0.1.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::127.0.0.1",
    "64:ff9b::169.254.169.254",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::1",
    "3fff::1",
    "4000::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
]
PUBLIC = ["1.1.1.1", "93.184.216.34", "2606:4700:4700::1111", "::ffff:1.1.1.1", "64:ff9b::1.1.1.1"]


@pytest.mark.parametrize("address", INSIDE)
def test_what_is_not_public_may_not_be_called(address: str) -> None:
    assert not PeerRules([]).allows(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_public_may_be_called(address: str) -> None:
    assert PeerRules([]).allows(ip_address(address))


@pytest.mark.parametrize(
    ("network", "address", "is_allowed"),
    [
        ("10.1.0.0/16", "10.1.2.3", True),
        ("10.1.0.0/16", "10.2.0.1", False),
        ("10.1.0.0/16", "::ffff:10.1.2.3", True),
        ("10.1.0.0/16", "64:ff9b::10.1.2.3", True),
        ("fd00::/8", "fd00::1", True),
        ("fd00::/8", "10.1.2.3", False),
        ("127.0.0.0/8", "::1", False),
        ("0.0.0.0/0", "169.254.169.254", True),
    ],
)
def test_a_network_that_is_named_may_be_called(network: str, address: str, is_allowed: bool) -> None:
    assert PeerRules([ip_network(network)]).allows(ip_address(address)) is is_allowed

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeloom.local.errors import PortTakenError
from pipeloom.local.ports import HOST, demand_port, is_free, pick_port, previous_port, remember_port


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server((HOST, pick_port())) as server:
        yield server.getsockname()[1]


def test_a_folder_gets_the_same_port_again(tmp_path: Path) -> None:
    first = previous_port(tmp_path / "new" / "port")
    remember_port(tmp_path / "new" / "port", first)

    assert previous_port(tmp_path / "new" / "port") == first


def test_a_folder_gets_another_port_when_its_own_is_taken(tmp_path: Path, taken_port: int) -> None:
    remember_port(tmp_path / "port", taken_port)

    chosen = previous_port(tmp_path / "port")

    assert chosen != taken_port
    assert is_free(chosen)


@pytest.mark.parametrize("junk", [b"", b"0\n", b"-1\n", b"70000\n", b"port\n", b"\xff"])
def test_a_folder_whose_port_is_none_gets_another_one(tmp_path: Path, junk: bytes) -> None:
    (tmp_path / "port").write_bytes(junk)

    assert is_free(previous_port(tmp_path / "port"))


def test_a_demanded_port_that_is_taken_is_refused_with_a_remedy(taken_port: int) -> None:
    with pytest.raises(PortTakenError, match=rf"Port {taken_port} .* for the HTTP API.* --http-port"):
        demand_port(taken_port, "the HTTP API", "choose another one with --http-port")


def test_an_address_that_is_not_this_machines_is_not_blamed_on_another_program() -> None:
    with pytest.raises(
        PortTakenError, match=r"on 192\.0\.2\.1, wanted for the HTTP API, cannot be used \(.*\): mend it"
    ):
        demand_port(pick_port(), "the HTTP API", "mend it", host="192.0.2.1")


def test_no_port_is_given_out_twice() -> None:
    picked = [pick_port() for _ in range(100)]

    assert len(set(picked)) == len(picked)

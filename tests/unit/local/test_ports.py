import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeloom.local.errors import PortTakenError
from pipeloom.local.ports import HOST, demand_port, is_free, pick_port, remember_port, remembered_port


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server((HOST, pick_port())) as server:
        yield server.getsockname()[1]


def test_a_folder_gets_the_same_port_again(tmp_path: Path) -> None:
    first = remembered_port(tmp_path / "new" / "port")

    assert remembered_port(tmp_path / "new" / "port") == first


def test_a_folder_gets_another_port_when_its_own_is_taken(tmp_path: Path, taken_port: int) -> None:
    remember_port(tmp_path / "port", taken_port)

    chosen = remembered_port(tmp_path / "port")

    assert chosen != taken_port
    assert is_free(chosen)
    assert int((tmp_path / "port").read_text()) == chosen


def test_a_demanded_port_that_is_taken_is_refused_with_a_remedy(taken_port: int) -> None:
    with pytest.raises(PortTakenError, match=rf"Port {taken_port} .* for the HTTP API.* --http-port"):
        demand_port(taken_port, "the HTTP API", "choose another one with --http-port")


def test_no_port_is_given_out_twice() -> None:
    picked = [pick_port() for _ in range(100)]

    assert len(set(picked)) == len(picked)

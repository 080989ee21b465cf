"""The admin ports of a stack: chosen, or free ones that stay with the folder."""

import json
import socket
from pathlib import Path

import pytest

from pipeloom.local.admin import AdminPorts, read_addresses
from pipeloom.local.errors import PortTakenError
from pipeloom.local.ports import HOST, pick_port

NAMES = ["gateway", "composer"]


def test_a_port_is_written_down_and_stays_over_restarts(tmp_path: Path) -> None:
    file = tmp_path / "data" / "admin.json"
    port = AdminPorts(file, NAMES).settle("composer")
    assert read_addresses(file) == {"composer": f"http://{HOST}:{port}"}
    assert AdminPorts(file, NAMES).settle("composer") == port


def test_a_port_that_somebody_has_taken_meanwhile_makes_room_for_another_one(tmp_path: Path) -> None:
    ports = AdminPorts(tmp_path / "admin.json", NAMES)
    first = ports.settle("composer")
    with socket.create_server((HOST, first)):
        second = ports.settle("composer")
    assert second != first
    assert read_addresses(tmp_path / "admin.json") == {"composer": f"http://{HOST}:{second}"}


def test_chosen_ports_follow_each_other_in_the_order_of_the_processes(tmp_path: Path) -> None:
    ports = AdminPorts(tmp_path / "admin.json", NAMES, first=21_000)
    assert [ports.settle(name) for name in reversed(NAMES)] == [21_001, 21_000]
    assert list(read_addresses(tmp_path / "admin.json")) == NAMES


def test_a_chosen_port_that_is_taken_is_refused_by_the_name_of_its_process(tmp_path: Path) -> None:
    port = pick_port()
    with (
        socket.create_server((HOST, port)),
        pytest.raises(PortTakenError, match=r"admin port of composer.*--admin-port"),
    ):
        AdminPorts(tmp_path / "admin.json", NAMES, first=port - 1).demand()


@pytest.mark.parametrize("content", ["", "[]", '{"composer": 7}', "\x00", '{"composer": "http://h:99999999"}'])
def test_a_file_that_tells_nothing_usable_is_written_anew(tmp_path: Path, content: str) -> None:
    file = tmp_path / "admin.json"
    file.write_text(content)
    port = AdminPorts(file, NAMES).settle("composer")
    assert json.loads(file.read_text()) == {"composer": f"http://{HOST}:{port}"}


def test_a_process_that_is_gone_for_good_leaves_the_file(tmp_path: Path) -> None:
    file = tmp_path / "admin.json"
    AdminPorts(file, ["retired"]).settle("retired")
    AdminPorts(file, NAMES).settle("gateway")
    assert list(read_addresses(file)) == ["gateway"]

import sys

import pytest

from pipeloom.local.process_title import fitting


@pytest.mark.parametrize("room", [10, 30, 40, 400])
def test_a_title_fills_its_room_exactly_and_ends_in_a_zero(room: int) -> None:
    title = fitting(("-m", "services.composer"), room)

    assert len(title) == room
    assert title.endswith(b"\0")


def test_a_long_interpreter_is_left_out_for_the_module_to_be_seen() -> None:
    assert fitting(("-m", "services.relay"), 25).split(b"\0")[:3] == [b"python", b"-m", b"services.relay"]


def test_with_room_the_interpreter_is_shown() -> None:
    assert fitting(("-m", "services.relay"), 400).split(b"\0")[0] == sys.executable.encode()

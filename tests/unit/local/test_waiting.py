import asyncio

import pytest

from pipeloom.local import waiting
from pipeloom.local.waiting import told_why


class Notes:
    def __init__(self) -> None:
        self.lines: asyncio.Queue[str] = asyncio.Queue()

    def say(self, part: str, message: str) -> None:
        self.lines.put_nowait(f"{part}: {message}")

    def advance(self, part: str, done: int, total: int) -> None:
        raise AssertionError("nothing is counted here")


async def test_a_long_wait_is_told_with_its_reason_and_again_when_that_has_changed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(waiting, "_PATIENCE", 0.01)
    notes, reasons = Notes(), iter(["no topics", "no topics", "no topics", *["no leader"] * 1000])

    async with asyncio.timeout(5), told_why("relay", lambda: next(reasons), notes):
        told = [await notes.lines.get(), await notes.lines.get()]

    assert [line.partition(" s: ")[2] for line in told] == ["no topics", "no leader"]
    assert notes.lines.empty()


async def test_a_short_wait_is_not_told() -> None:
    notes = Notes()

    async with told_why("relay", lambda: "never asked", notes):
        await asyncio.sleep(0)

    assert notes.lines.empty()
    assert not any(task.get_name() == "tell why relay waits" for task in asyncio.all_tasks())

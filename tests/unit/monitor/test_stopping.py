"""A monitor that is told to stop while Kafka is away."""

import asyncio
from collections.abc import Collection
from typing import Any
from unittest.mock import Mock

import pytest

from services.monitor import service
from services.monitor.transport import _Worker


class Away:
    """A monitor whose last save never ends, since Kafka does not answer."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.stream = self
        self.trouble = None

    async def save(self) -> Collection[Any]:
        """Wait for Kafka."""
        await asyncio.Event().wait()
        return ()

    async def stop(self) -> None:
        self.done.append("the stream is stopped")

    async def close(self) -> None:
        self.done.append("the servers are let go")


async def test_the_stream_is_stopped_although_the_last_save_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    # Given
    monkeypatch.setattr(service, "SAVE_S", 0.01)
    monitor: Any = Away()
    starting = asyncio.create_task(asyncio.sleep(0))
    await starting
    # When
    await asyncio.wait_for(service._end(monitor, starting), 5)
    # Then
    assert monitor.done == ["the stream is stopped", "the servers are let go"]


def test_the_thread_that_reads_does_not_keep_the_process_alive() -> None:
    assert _Worker(Mock()).daemon

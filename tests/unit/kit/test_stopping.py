"""Stopping a Kafka client, whatever it does."""

import asyncio
from typing import Any

import pytest

from services.kit import stopping
from services.kit.stopping import stop_client


class Client:
    """A client whose stop does what a test says."""

    def __init__(self, failure: BaseException | None, hangs: bool = False) -> None:
        self.failure = failure
        self.hangs = hangs
        self.cancelled = False

    async def stop(self) -> None:
        if self.failure is not None:
            raise self.failure
        try:
            if self.hangs:
                await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise


@pytest.mark.parametrize("failure", [None, asyncio.CancelledError(), ConnectionError("the broker is away")])
async def test_what_a_clients_stop_raises_is_not_raised_on(failure: BaseException | None) -> None:
    client: Any = Client(failure)
    await asyncio.wait_for(stop_client(client), 1)


async def test_a_stop_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stopping, "STOP_S", 0.01)
    client: Any = Client(None, hangs=True)
    await asyncio.wait_for(stop_client(client), 1)
    assert client.cancelled

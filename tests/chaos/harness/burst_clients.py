"""Clients over HTTP that ask for much at once and wait for none of it: they are told 202, and rely on it."""

import asyncio

from tests.chaos.harness.http_clients import HttpClient

AT_ONCE = 12
BURST_PAUSE_S = 0.2


class BurstClient(HttpClient):
    """One client that has much under way whenever anything dies."""

    async def run(self, stop: asyncio.Event) -> None:
        """Ask for one burst after the other until `stop` is set."""
        while not stop.is_set():
            number = self._random.randint(1, AT_ONCE)
            wanted = [self._wanted("create a pipeline") for _ in range(number)]
            await asyncio.gather(*(self._ask(*each, stop, patience=0.0) for each in wanted))
            await asyncio.sleep(BURST_PAUSE_S)

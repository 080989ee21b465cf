"""Readers of the live feed: whatever happens, an environment's events come one after the other, none twice."""

import asyncio
import json

import httpx

from pipeloom.client.sse import Parser
from tests.chaos.harness.doors import API, Doors
from tests.chaos.harness.history import History

RETRY_S = 0.3
READ_S = 25.0
ENDINGS = {"token_expired", "shutting_down", "too_slow"}


class Follower:
    """Reads one environment's feed from its beginning, and goes on behind the last event after each break."""

    def __init__(self, environment: str, urls: list[str], doors: Doors, history: History) -> None:
        self.environment = environment
        self.ids: list[str] = []
        """The event ids that came, in order."""
        self._urls = urls
        self._doors = doors
        self._history = history

    async def run(self) -> None:
        """Follow until cancelled."""
        connections = 0
        while True:
            url = self._urls[connections % len(self._urls)]
            connections += 1
            try:
                await self._follow(url, await self._doors.sign_in())
            except (httpx.HTTPError, KeyError):
                self._history.counts["breaks of the live feed"] += 1
            await asyncio.sleep(RETRY_S)

    async def _follow(self, url: str, authorization: str) -> None:
        parser = Parser()
        headers = {"Authorization": authorization, "Last-Event-ID": str(len(self.ids))}
        timeout = httpx.Timeout(READ_S)
        async with (
            httpx.AsyncClient(base_url=url, verify=False, timeout=timeout) as client,
            client.stream("GET", f"{API}/events", headers=headers) as answer,
        ):
            answer.raise_for_status()
            async for chunk in answer.aiter_bytes():
                for message in parser.feed(chunk):
                    if message.name in ENDINGS:
                        return
                    self._take(json.loads(message.data))

    def _take(self, event: dict[str, object]) -> None:
        if event["environment"] != self.environment:
            self._history.complain(f"{self.environment} was told an event of {event['environment']}: {event['id']}")
        if str(event["sequence"]) != str(len(self.ids) + 1):
            self._history.complain(f"the feed of {self.environment}: {event['sequence']} follows {len(self.ids)}")
        self.ids.append(str(event["id"]))

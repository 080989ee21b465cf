"""Everybody who works while things break, in environments with a step that is Ready."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from random import Random
from typing import Any

from tests.chaos.harness.burst_clients import BurstClient
from tests.chaos.harness.doors import Doors
from tests.chaos.harness.followers import Follower
from tests.chaos.harness.history import Asked, History
from tests.chaos.harness.http_clients import BASE_STEP, HttpClient, step_body
from tests.chaos.harness.kafka_clients import KafkaClient
from tests.chaos.harness.world import World

CLIENTS = 3
AT_ONCE = 8


class Clients:
    """Everybody who works while things break."""

    def __init__(self, world: World, history: History, seed: int) -> None:
        environments = [member.environment for member in world.members]
        self.doors = [Doors(world.urls, member.sdk_token) for member in world.members]
        self.stop = asyncio.Event()
        self.http: dict[str, HttpClient] = {}
        self.kafka: list[KafkaClient] = []
        self.followers: list[Follower] = []
        for place, (environment, doors) in enumerate(zip(environments, self.doors, strict=True)):
            for number in range(CLIENTS):
                random = Random(f"{seed} {place} {number}")
                client = HttpClient(f"c{number}", environment, doors, history, random, world.repository)
                self.http[f"{environment}-c{number}"] = client
            random = Random(f"{seed} {place} burst")
            burst = BurstClient("burst", environment, doors, history, random, world.repository)
            self.http[f"{environment}-burst"] = burst
            others = [each for each in environments if each != environment]
            random = Random(f"{seed} {place} kafka")
            self.kafka.append(KafkaClient(world.kafka_for_clients, environment, others, history, random))
            self.followers.append(Follower(environment, world.urls, doors, history))

    def work(self) -> list[Coroutine[Any, Any, None]]:
        """Return what runs until `stop` is set."""
        over_http = [client.run(self.stop) for client in self.http.values()]
        return [*over_http, *(client.run(self.stop) for client in self.kafka)]

    async def settle(self, history: History) -> list[Asked]:
        """Ask again, twice, for what nobody knows; return what is unknown even so."""
        unresolved, turns = list(history.unresolved()), asyncio.Semaphore(AT_ONCE)

        async def ask(asked: Asked) -> None:
            async with turns:
                for _ in range(2):
                    await self.http[asked.client].settle(asked)

        await asyncio.gather(*map(ask, unresolved))
        return list(history.unresolved())


@asynccontextmanager
async def open_clients(world: World, history: History, seed: int) -> AsyncIterator[Clients]:
    """Give clients that are signed in, in environments with a step that is Ready, for the length of the block."""
    clients = Clients(world, history, seed)
    async with AsyncExitStack() as stack:
        for doors in clients.doors:
            stack.push_async_callback(doors.close)
            await doors.sign_in()
            await doors.send("POST", "/steps", json=step_body(BASE_STEP, world.repository))
            built = await doors.send("GET", f"/steps/{BASE_STEP}", params={"wait_for_completion": True})
            if built.json()["creation_info"]["status"] != "Ready":
                raise RuntimeError(f"the step that all use was not built: {built.text}")
        following = [asyncio.create_task(each.run(), name=f"follow {each.environment}") for each in clients.followers]
        try:
            yield clients
        finally:
            clients.stop.set()
            for task in following:
                task.cancel()
            await asyncio.gather(*following, return_exceptions=True)

"""kill -9 of the process that tells the feed, while many readers follow: each is told every event once, in order.

PIPELOOM_TEST_FEED_COMMANDS asks for more commands than a usual run has time for.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from events.commands import PipelineRequested
from pipeloom.client import AsyncClient, Event
from pipeloom.client.watching import AsyncWatch
from tests.chaos.stack import Stack, make_ready, running_stack, signed_in
from tests.support.installation import Log, command, open_log, unique
from tests.support.services import eventually

COMMANDS = int(os.environ.get("PIPELOOM_TEST_FEED_COMMANDS") or 1_000)
READERS = 50
AT_ONCE = 250
WITHIN_S = 240.0

Told = list[list[Event]]


@pytest.mark.timeout(500)
async def test_each_reader_is_told_every_event_once_and_in_order_over_two_deaths_of_the_gateway(tmp_path: Path) -> None:
    async with running_stack(tmp_path / "data") as stack, open_log(stack.kafka) as log:
        # Given readers of an environment in which a step is Ready
        async with signed_in(stack) as client:
            await make_ready(client, tmp_path / "data" / "source")
        environment = (await log.events(2))[0].environment
        async with following(stack) as told:
            # When the gateway is killed twice while pipelines are created
            asking = asyncio.create_task(ask(log, environment))
            for enough in (COMMANDS // 4, COMMANDS * 3 // 4):
                await eventually(partial(lambda enough: len(told[0]) >= enough, enough), WITHIN_S)
                os.kill(stack.pid_of("services.gateway"), signal.SIGKILL)
                await eventually(partial(is_running, stack, "services.gateway"))
            await asking
            # Then
            await eventually(lambda: all(len(each) >= COMMANDS for each in told), WITHIN_S)
        expected = [event.id for event in await log.events(COMMANDS + 2) if event.type == "PipelineCreated"]
    assert [[event.id for event in each] for each in told] == [expected] * READERS


async def ask(log: Log, environment: str) -> None:
    for first in range(0, COMMANDS, AT_ONCE):
        wanted = range(first, min(first + AT_ONCE, COMMANDS))
        asked = [PipelineRequested(pipeline_name=unique(f"p{number}"), step_names=["s"]) for number in wanted]
        await asyncio.gather(*(log.ask(command(environment, each)) for each in asked))


@asynccontextmanager
async def following(stack: Stack) -> AsyncIterator[Told]:
    """Let READERS follow what is created, inside the block."""
    told: Told = [[] for _ in range(READERS)]
    async with AsyncExitStack() as readers:
        watches = []
        for _ in range(READERS):
            client = await readers.enter_async_context(
                AsyncClient(stack.environment["PIPELOOM_URL"], stack.environment["CRAFT_AI_SDK_TOKEN"])
            )
            watches.append(await readers.enter_async_context(client.watch(types=["PipelineCreated"])))
        tasks = [asyncio.create_task(read(watch, each)) for watch, each in zip(watches, told, strict=True)]
        try:
            yield told
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def is_running(stack: Stack, part: str) -> bool:
    try:
        return bool(stack.pid_of(part))
    except LookupError:
        return False


async def read(watch: AsyncWatch, told: list[Event]) -> None:
    async for event in watch:
        told.append(event)  # noqa: PERF401 - the test looks on while it grows

"""Killed at any moment, the monitor comes to the numbers that a rebuild from the topics comes to."""

import asyncio
import os
import random
from typing import Any

import pytest

from events.commands import PipelineDeleteRequested, PipelineRequested
from tests.integration.monitor.conftest import Watchtower
from tests.support.installation import unique
from tests.support.services import eventually

NEW = PipelineRequested(pipeline_name="churn", step_names=["train"])
GONE = PipelineDeleteRequested(pipeline_name="churn")
ENVIRONMENTS = [f"lab-{number}" for number in range(6)]
MOST_BATCHES, BATCH, KILLS = 400, 12, 3


async def traffic(watchtower: Watchtower, chance: random.Random, enough: asyncio.Event) -> tuple[int, int]:
    """Write commands of several environments and most of their results, junk among them; return how many of each."""
    answered = batches = 0
    while not enough.is_set() and batches < MOST_BATCHES:
        batches += 1
        asked = [await watchtower.ask(chance.choice(ENVIRONMENTS), chance.choice([NEW, GONE])) for _ in range(BATCH)]
        await watchtower.log.put(b"junk", b"junk", [], partition=chance.randrange(4))
        mine = [each for each in asked if chance.random() < 0.95]
        refused = {each.command.id for each in mine if chance.random() < 0.2}
        await watchtower.answer(*mine, refused=refused)
        answered += len(mine)
    return answered, batches


def results(documents: dict[tuple[str, int], Any]) -> int:
    return sum(
        tally[0]
        for document in documents.values()
        for types in document["minutes"].values()
        for tally in types.values()
    )


async def numbers(watchtower: Watchtower) -> dict[tuple[str, int], Any]:
    await watchtower.complete()
    return await watchtower.documents()


@pytest.mark.timeout(170)
async def test_numbers_after_kills_equal_those_of_a_rebuild(watchtower: Watchtower) -> None:
    seed = int(os.environ.get("PIPELOOM_TEST_SEED") or random.randrange(10**6))
    print(f"PIPELOOM_TEST_SEED={seed}")
    chance = random.Random(seed)

    # Given a monitor that is killed at random moments while commands and results come, each time after it has counted
    enough = asyncio.Event()
    writing = asyncio.ensure_future(traffic(watchtower, chance, enough))
    moments = random.Random(seed + 1)
    watchtower.every_s = 2.0  # it saves more seldom than Faust commits: what is not saved must not be committed
    for _ in range(KILLS):
        before = results(await watchtower.documents())

        async def has_counted(before: int = before) -> bool:
            return results(await watchtower.documents()) > before

        async with watchtower.watching() as monitor:
            await eventually(has_counted, 40)
            await asyncio.wait({writing}, timeout=moments.uniform(0.0, 3.0))
            await monitor.kill()
    enough.set()
    watchtower.every_s = 0.3
    answered, batches = await writing
    async with watchtower.watching() as monitor:
        after_kills = await numbers(watchtower)
        assert await monitor.stop() == 0

    # When another one reads the topics from their beginning
    await watchtower.execute("TRUNCATE activity, activity_minute, activity_progress")
    async with watchtower.watching(group=unique("rebuild")):
        rebuilt = await numbers(watchtower)

    # Then both tell the same, and of every result and every piece of junk once
    assert after_kills == rebuilt
    assert results(rebuilt) == answered
    assert sum(sum(each["unreadable"].values()) for each in rebuilt.values()) == batches

"""Receivers that hang, or whose names are slow to resolve, hold up their like and nobody else."""

from collections import Counter
from collections.abc import Iterator

import pytest
from prometheus_client import REGISTRY

from services.kit.postgres import Pool
from services.kit.settings import Settings
from services.webhooks.deliveries import Deliveries
from services.webhooks.tidying import tidy_once
from tests.integration.kit.conftest import MakeEvent
from tests.support.installation import new_member
from tests.support.names import SlowNames
from tests.support.receiver import Receiver, hang
from tests.support.services import eventually

from .conftest import PARTITIONS, Hook, World

OLDEST_DUE = "pipeloom_webhook_oldest_due_seconds"
# An attempt that hangs ends long after the tests.
FOR_LONG = {"timeout_s": 60.0}


@pytest.fixture
async def neighbour(
    world: World, shared_installation: Settings, pool: Pool, receiver: Receiver, make_event: MakeEvent
) -> World:
    """Another environment of the same installation."""
    member = await new_member(shared_installation.postgres)
    return World(world.settings, pool, receiver, member.environment, next(PARTITIONS), make_event)


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlowNames]:
    slow = SlowNames(monkeypatch)
    yield slow
    slow.answer()


async def hanging(world: World, number: int) -> list[Hook]:
    world.receiver.on("/hang", hang)
    return [await world.hook("/hang") for _ in range(number)]


async def fail(world: World, *hooks: Hook) -> None:
    ids = [hook.id for hook in hooks]
    await world.pool.execute("UPDATE webhook SET failing_since = now() WHERE id = ANY($1)", ids)


async def test_another_environment_is_served_beside_sixteen_receivers_that_hang(world: World, neighbour: World) -> None:
    # Given
    await hanging(world, 16)
    healthy = await neighbour.hook("/ok")
    await world.happen(20)
    async with world.service(**FOR_LONG):
        await eventually(lambda: len(world.receiver.at("/hang")) == 16)
        # When
        await neighbour.happen()
        # Then
        await neighbour.until(healthy, status="delivered", attempts=1)
        assert len(world.receiver.at("/hang")) == 16


async def test_a_webhook_is_served_beside_sixteen_of_its_environment_that_fail(world: World) -> None:
    # Given
    await fail(world, *await hanging(world, 16))
    healthy = await world.hook("/ok", subject="steps/")
    await world.happen(20)
    async with world.service(**FOR_LONG):
        await eventually(lambda: len(world.receiver.at("/hang")) == 8)
        # When
        await world.happen(subject="steps/train")
        # Then
        await world.until(healthy, status="delivered", attempts=1)
        assert len(world.receiver.at("/hang")) == 8


async def test_webhooks_of_an_environment_take_turns(world: World) -> None:
    hooks = [await world.hook("/ok") for _ in range(12)]
    await world.happen(10)
    deliveries = Deliveries(world.pool, world.settings.webhooks)
    await deliveries.make()
    claimed = Counter(due.webhook_id for due in await deliveries.claim())
    assert set(claimed) == {hook.id for hook in hooks}
    assert sorted(claimed.values()) == [1] * 8 + [2] * 4


async def test_webhooks_that_fail_have_half_of_all_places(world: World, neighbour: World) -> None:
    # Given
    settings = world.with_changes(concurrency=8).webhooks
    for each in (world, neighbour):
        await fail(each, *[await each.hook("/down") for _ in range(3)])
        await each.happen(3)
    deliveries = Deliveries(world.pool, settings)
    await deliveries.make()
    # Then
    claimed = await deliveries.claim()
    assert Counter(due.environment for due in claimed) == {world.environment: 1, neighbour.environment: 1}
    assert await deliveries.claim(claimed) == []
    assert await deliveries.claim(claimed[:1] * 4) == []


async def test_a_name_that_is_slow_holds_up_no_other_environment_and_costs_no_attempt_that_was_not_made(
    world: World, neighbour: World, names: SlowNames
) -> None:
    # Given
    slow = [await world.hook("/ok") for _ in range(8)]
    await world.pool.execute("UPDATE webhook SET url = replace(url, '127.0.0.1', 'hooks.slow')")
    healthy = await neighbour.hook("/ok")
    await world.happen()
    async with world.service(timeout_s=1.0, retry_delays_s=[60.0]):
        await eventually(lambda: len(names.asked) == 3)
        # When
        await neighbour.happen()
        # Then
        await neighbour.until(healthy, status="delivered", attempts=1)

        async def three_failed() -> bool:
            attempts: list[int] = [(await world.deliveries(hook))[0]["attempts"] for hook in slow]
            return sum(attempts) == 3

        await eventually(three_failed)
        # When
        names.answer()

        async def the_rest_is_delivered() -> bool:
            rows = [(await world.deliveries(hook))[0] for hook in slow]
            return [row["status"] for row in rows].count("delivered") == 5

        # Then
        await eventually(the_rest_is_delivered, 10)
        assert sorted([(await world.deliveries(hook))[0]["attempts"] for hook in slow]) == [1] * 8


async def test_for_how_long_a_delivery_waits_is_told_unless_its_webhook_fails(world: World) -> None:
    deliveries = Deliveries(world.pool, world.settings.webhooks)
    hook = await world.hook("/ok")
    await world.happen()
    await deliveries.make()
    await world.pool.execute("UPDATE webhook_delivery SET next_attempt_at = now() - interval '5 minutes'")
    await tidy_once(deliveries)
    assert REGISTRY.get_sample_value(OLDEST_DUE) == pytest.approx(300, abs=30)
    await fail(world, hook)
    await tidy_once(deliveries)
    assert REGISTRY.get_sample_value(OLDEST_DUE) == 0

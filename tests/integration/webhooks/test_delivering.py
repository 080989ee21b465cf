"""Events come to those who asked for them: signed, once each when all goes well, and at least once when it does not."""

import asyncio
import os
import sys
from functools import partial
from pathlib import Path

import pytest
from standardwebhooks import WebhookVerificationError

from services.kit.health import Health
from services.kit.process import StartError
from services.kit.sealing import Sealer
from services.kit.settings import SecretsSettings
from services.kit.statements import load_queries
from services.query import webhooks
from services.webhooks.courier import Courier
from services.webhooks.deliveries import NOTHING, Deliveries
from services.webhooks.sending import CONTENT_TYPE, Sender
from services.webhooks.service import run_webhooks
from services.webhooks.tidying import tidy_once
from tests.support.receiver import answering, hang
from tests.support.services import eventually

from .conftest import World


async def test_an_event_comes_signed_as_a_cloudevent(world: World) -> None:
    # Given
    hook = await world.hook("/ok")
    # When
    async with world.service():
        [event] = await world.happen()
        await world.until(hook, status="delivered", attempts=1, last_status_code=204, next_attempt_at=None)
    # Then
    [posted] = world.receiver.at("/ok")
    told = hook.verified(posted)
    assert (told["id"], told["specversion"], told["sequence"]) == (event.id, "1.0", "1")
    assert told["data"] == {"pipeline": {}}
    assert posted.headers["webhook-id"] == event.id.replace(".", "-")
    assert posted.headers["content-type"] == CONTENT_TYPE
    assert posted.headers["host"] == f"127.0.0.1:{world.receiver.port}"
    assert posted.headers["user-agent"].startswith("Pipeloom/")


async def test_a_signature_is_that_of_the_webhook_and_of_the_whole_body(world: World) -> None:
    hook, other = await world.hook("/ok"), await world.hook("/other")
    async with world.service():
        await world.happen()
        await world.until(hook, status="delivered")
    [posted] = world.receiver.at("/ok")
    with pytest.raises(WebhookVerificationError):
        other.verified(posted)


async def test_only_what_is_asked_for_comes_and_only_what_happens_from_then_on(world: World) -> None:
    # Given
    await world.happen(3)
    by_type = await world.hook("/type", types=["StepCreated"])
    by_subject = await world.hook("/subject", subject="steps/")
    # When
    async with world.service():
        await world.happen(type="StepCreated", subject="pipelines/odd")
        await world.happen(subject="steps/train")
        await world.until(by_type, status="delivered", sequence=4)
        await world.until(by_subject, status="delivered", sequence=5)
    # Then
    assert [(await world.webhook(each))["told_up_to"] for each in (by_type, by_subject)] == [5, 5]


async def test_two_processes_deliver_each_event_once_and_none_is_left_out(world: World) -> None:
    hook = await world.hook("/ok")
    async with world.service(), world.service():
        for _ in range(5):
            await world.happen(20)
        await eventually(lambda: len(world.receiver.at("/ok")) >= 100)
    rows = await world.deliveries(hook)
    assert [(row["sequence"], row["status"], row["attempts"]) for row in rows] == [
        (place, "delivered", 1) for place in range(1, 101)
    ]
    assert len({posted.headers["webhook-id"] for posted in world.receiver.at("/ok")}) == 100
    assert len(world.receiver.at("/ok")) == 100


async def test_what_a_killed_process_had_begun_is_attempted_by_the_next_one(world: World) -> None:
    # Given
    hook = await world.hook("/slow")
    world.receiver.on("/slow", hang, answering(200))
    await world.happen()
    # When
    settings = world.settings
    variables = {
        "PIPELOOM_POSTGRES__DSN": settings.postgres.dsn.get_secret_value(),
        "PIPELOOM_SECRETS__KEY_FILE": str(settings.secrets.key_file),
        "PIPELOOM_WEBHOOKS__ALLOW_HTTP": "true",
        "PIPELOOM_WEBHOOKS__ALLOWED_NETWORKS": '["127.0.0.0/8"]',
        "PIPELOOM_WEBHOOKS__TIMEOUT_S": "1",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.webhooks", env={**os.environ, **variables}
    )
    try:
        await eventually(lambda: bool(world.receiver.at("/slow")))
    finally:
        process.kill()
        await process.wait()
    await world.until(hook, status="pending", attempts=0)
    async with world.service():
        await world.until(hook, status="delivered", attempts=1)
    # Then
    first, second = world.receiver.at("/slow")
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert hook.verified(second) == hook.verified(first)


async def test_an_outcome_that_comes_late_does_not_count_twice(world: World) -> None:
    hook = await world.hook("/ok")
    await world.happen()
    deliveries = Deliveries(world.pool, world.settings.webhooks)
    assert await deliveries.make() == (1, 1)
    [due] = await deliveries.claim()
    assert await deliveries.claim() == []
    await deliveries.succeeded(due, 200)
    await deliveries.succeeded(due, 202)
    assert (await world.until(hook, status="delivered"))["last_status_code"] == 200
    assert await deliveries.make() == NOTHING


async def test_a_webhook_has_no_more_attempts_under_way_than_it_may(world: World) -> None:
    hook = await world.hook("/ok")
    await world.happen(10)
    deliveries = Deliveries(world.pool, world.settings.webhooks)
    await deliveries.make()
    claimed = await deliveries.claim()
    assert [due.webhook_id for due in claimed] == [hook.id] * 4
    assert len(await deliveries.claim(claimed[:3])) == 1
    assert await deliveries.claim(claimed) == []


async def test_events_wait_in_the_log_while_many_deliveries_are_pending(world: World) -> None:
    # Given
    hook = await world.hook("/later")
    world.receiver.on("/later", hang)
    await world.happen(8)
    async with world.service(max_pending=5, retry_delays_s=[0.05] * 100):
        await eventually(lambda: len(world.receiver.at("/later")) > 3)
        assert len(await world.deliveries(hook)) == 5
        assert (await world.webhook(hook))["told_up_to"] == 5
        # When
        world.receiver.on("/later", answering(200))

        async def all_delivered() -> bool:
            return [row["status"] for row in await world.deliveries(hook)] == ["delivered"] * 8

        # Then
        await eventually(all_delivered)


async def test_deliveries_are_forgotten_some_time_after_they_are_done(world: World) -> None:
    hook = await world.hook("/ok")
    async with world.service():
        await world.happen()
        await world.until(hook, status="delivered")
    await Deliveries(world.pool, world.settings.webhooks).forget_old()
    assert len(await world.deliveries(hook)) == 1
    settings = world.with_changes(keep_s=0.001).webhooks
    await Deliveries(world.pool, settings).forget_old()
    assert await world.deliveries(hook) == []


async def test_all_that_was_done_long_ago_is_forgotten_at_once_however_much_it_is(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given
    monkeypatch.setattr("services.webhooks.deliveries.FORGOTTEN_AT_ONCE", 2)
    hook = await world.hook("/ok")
    await world.happen(7)
    deliveries = Deliveries(world.pool, world.with_changes(keep_s=60).webhooks)
    await deliveries.make()
    done = "UPDATE webhook_delivery SET status = 'delivered', last_attempt_at = now() - $1::int * interval '1 second'"
    await world.pool.execute(f"{done} WHERE sequence < 7", 100)
    await world.pool.execute(f"{done} WHERE sequence = 7", 0)
    # When
    await tidy_once(deliveries)
    # Then
    assert [row["sequence"] for row in await world.deliveries(hook)] == [7]


async def test_the_few_deliveries_that_failed_are_found_by_an_index(world: World) -> None:
    # Given
    hook = await world.hook("/ok")
    await world.pool.execute(
        """INSERT INTO webhook_delivery (webhook_id, sequence, event_id, type, subject, status)
        SELECT $1, n, n::text, '', '', CASE WHEN n % 1000 = 0 THEN 'failed' ELSE 'delivered' END
        FROM generate_series(1, 20000) n""",
        hook.id,
    )
    await world.pool.execute("ANALYZE webhook_delivery")
    # When
    listing = load_queries(webhooks.__file__).list_deliveries_that_are.sql
    plan = await world.pool.fetch(f"EXPLAIN {listing}", hook.id, "failed", 20_001, 100)
    # Then
    assert any("webhook_delivery_by_status" in line for (line,) in plan)


async def test_an_event_comes_within_a_tenth_of_a_second_of_its_notice(world: World) -> None:
    # Given
    await world.hook("/ok")
    settings, waited = world.with_changes(poll_interval_s=60.0).webhooks, []
    health, stop = Health(), asyncio.Event()
    deliveries = Deliveries(world.pool, settings)
    courier = Courier(deliveries, Sealer(world.settings.secrets), Sender(settings), settings, health)
    running = asyncio.ensure_future(courier.run(stop))
    await eventually(lambda: health.is_ready)

    def has_come(number: int) -> bool:
        return len(world.receiver.at("/ok")) == number

    # When
    for number in range(5):
        await world.happen()
        began = asyncio.get_running_loop().time()
        courier.on_notice({})
        await eventually(partial(has_come, number + 1))
        waited.append(asyncio.get_running_loop().time() - began)
    stop.set()
    await running
    # Then
    assert min(waited) < 0.1


async def test_a_service_that_is_stopped_lets_its_attempts_end(world: World) -> None:
    # Given
    hook = await world.hook("/slow")
    may_answer = asyncio.Event()

    async def slowly(writer: asyncio.StreamWriter) -> None:
        await may_answer.wait()
        await answering(200)(writer)

    world.receiver.on("/slow", slowly)
    await world.happen()
    # When
    async with world.service(timeout_s=10):
        await eventually(lambda: bool(world.receiver.at("/slow")))
        asyncio.get_running_loop().call_later(0.2, may_answer.set)
    # Then
    [row] = await world.deliveries(hook)
    assert (row["status"], row["attempts"]) == ("delivered", 1)


async def test_a_service_that_has_no_key_says_what_to_do(world: World, tmp_path: Path) -> None:
    settings = world.settings.model_copy(update={"secrets": SecretsSettings(key_file=tmp_path / "none.key")})
    with pytest.raises(StartError, match="run `pipeloom init`"):
        await run_webhooks(settings, Health(), asyncio.Event())


async def test_after_an_older_backup_was_restored_events_come_again_under_the_same_ids(world: World) -> None:
    # Given a webhook that was told of three events, in a database that then forgets the last two of them
    hook = await world.hook("/ok")
    async with world.service():
        await world.happen(3)
        await eventually(lambda: len(world.receiver.at("/ok")) == 3)
    await world.pool.execute("DELETE FROM webhook_delivery WHERE webhook_id = $1 AND sequence > 1", hook.id)
    await world.pool.execute("UPDATE webhook SET told_up_to = 1 WHERE id = $1", hook.id)
    # When
    async with world.service():
        await eventually(lambda: len(world.receiver.at("/ok")) == 5)
    # Then a receiver that remembers ids has seen three events
    told = [posted.headers["webhook-id"] for posted in world.receiver.at("/ok")]
    assert sorted(told[3:]) == sorted(told[1:3])
    assert len(set(told)) == 3

"""A receiver that does not take an event: it is cut, told in the log, and tried again as stated."""

import socket

import httpcore
import pytest

from services.command import webhook_store
from services.kit.writing import writing
from services.webhooks import sending
from services.webhooks.deliveries import Deliveries
from services.webhooks.sending import Answer, judged
from tests.support.receiver import Behaviour, answering, hang, streaming
from tests.support.services import eventually

from .conftest import Hook, World

FOREVER = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
CHUNK = b"1000\r\n" + b"x" * 0x1000 + b"\r\n"


async def test_a_delivery_that_fails_is_tried_again_until_it_is_taken(world: World) -> None:
    hook = await world.hook("/flaky")
    world.receiver.on("/flaky", answering(500), answering(503), answering(200))
    async with world.service():
        await world.happen()
        await world.until(hook, status="delivered", attempts=3, last_status_code=200, last_error=None)
    assert len({(posted.headers["webhook-id"], posted.body) for posted in world.receiver.at("/flaky")}) == 1
    assert (await world.webhook(hook))["failing_since"] is None


@pytest.mark.parametrize(
    ("behaviour", "status_code", "word"),
    [
        (answering(500), 500, "answered 500"),
        (answering(404), 404, "answered 404"),
        (answering(302, location="http://127.0.0.1:1/"), 302, "redirect"),
        (answering(304), 304, "redirect"),
        (hang, None, "within 0.5 s"),
        (streaming(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), None, "within 0.5 s"),
        (streaming(b"HTTP/1.1 200 OK\r\n", b"x-more: and more\r\n" * 1000), None, "could not be reached"),
        (streaming(b"", b"no HTTP at all\r\n" * 1000), None, "could not be reached"),
    ],
    ids=["500", "404", "302", "304", "hangs", "informs for ever", "heads for ever", "no HTTP"],
)
async def test_what_is_no_success_is_told_and_given_up_after_the_last_attempt(
    world: World, behaviour: Behaviour, status_code: int | None, word: str
) -> None:
    hook = await world.hook("/bad")
    world.receiver.on("/bad", behaviour)
    async with world.service(timeout_s=0.5, retry_delays_s=[0.05]):
        await world.happen()
        row = await world.until(hook, status="failed", attempts=2, last_status_code=status_code, next_attempt_at=None)
    assert word in row["last_error"]
    assert len(world.receiver.posted) == 2
    webhook = await world.webhook(hook)
    assert (webhook["status"], webhook["failing_since"] is not None) == ("enabled", True)


async def test_an_answer_without_an_end_is_cut_and_its_status_counts(world: World) -> None:
    hook = await world.hook("/stream")
    world.receiver.on("/stream", streaming(FOREVER, CHUNK))
    async with world.service():
        await world.happen()
        await world.until(hook, status="delivered", attempts=1, last_status_code=200)
        await eventually(lambda: world.receiver.ended == 1)


async def test_a_receiver_that_is_not_there_is_told(world: World) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    world.receiver.port = port
    hook = await world.hook("/nobody")
    async with world.service(retry_delays_s=[]):
        await world.happen()
        row = await world.until(hook, status="failed", attempts=1, last_status_code=None)
    assert "could not be reached" in row["last_error"]


async def test_an_inside_address_is_not_called_though_the_url_was_taken(world: World) -> None:
    hook = await world.hook("/inside")
    async with world.service(allowed_networks=[], retry_delays_s=[]):
        await world.happen()
        row = await world.until(hook, status="failed")
    assert "no public address" in row["last_error"]
    assert world.receiver.posted == []


async def test_a_name_that_leads_inside_is_not_called(world: World) -> None:
    hook = await world.hook("/named")
    await world.pool.execute("UPDATE webhook SET url = replace(url, '127.0.0.1', 'localhost')")
    async with world.service(allowed_networks=[], retry_delays_s=[]):
        await world.happen()
        row = await world.until(hook, status="failed")
    assert "localhost has no public address" in row["last_error"]
    assert world.receiver.posted == []


async def test_a_receiver_that_is_busy_says_when_to_come_back(world: World) -> None:
    hook = await world.hook("/busy")
    world.receiver.on("/busy", answering(429, retry_after="3600"))
    async with world.service():
        await world.happen()
        row = await world.until(hook, status="pending", attempts=1)
    assert 3500 < (row["next_attempt_at"] - row["last_attempt_at"]).total_seconds() < 4000


async def test_gone_disables_at_once_and_enabling_goes_on(world: World) -> None:
    # Given
    hook = await world.hook("/gone")
    world.receiver.on("/gone", answering(410))
    async with world.service():
        # When
        await world.happen()
        await world.until(hook, status="pending", attempts=1, last_status_code=410)
        webhook = await world.webhook(hook)
        # Then
        assert webhook["status"] == "disabled"
        assert "410" in webhook["disabled_reason"]
        assert webhook["disabled_at"] is not None
        await world.happen()
        # When
        world.receiver.on("/gone", answering(200))
        await _enable(world, hook)
        # Then
        await eventually(lambda: len(world.receiver.at("/gone")) == 3)

        async def all_delivered() -> bool:
            return [row["status"] for row in await world.deliveries(hook)] == ["delivered"] * 2

        await eventually(all_delivered)
    assert (await world.webhook(hook))["disabled_reason"] is None


async def test_nothing_but_failures_for_long_disables(world: World) -> None:
    hook = await world.hook("/down")
    world.receiver.on("/down", answering(500))
    async with world.service(retry_delays_s=[0.05] * 100, disable_after_s=0.5):
        await world.happen()

        async def is_disabled() -> bool:
            return bool((await world.webhook(hook))["status"] == "disabled")

        await eventually(is_disabled)
    webhook = await world.webhook(hook)
    assert "Nothing but failures" in webhook["disabled_reason"]
    assert "answered 500" in webhook["disabled_reason"]


async def test_the_failure_of_a_url_that_was_changed_meanwhile_disables_nothing(world: World) -> None:
    hook = await world.hook("/old")
    world.receiver.on("/old", answering(410))
    await world.happen()
    async with world.service():
        await eventually(lambda: bool(world.receiver.at("/old")))
        async with writing(world.pool, "the webhook") as connection:
            new = {"url": world.receiver.url("/new"), "status": "enabled"}
            await webhook_store.change(connection, world.environment, hook.id, new)
        await world.until(hook, status="delivered")
    assert (await world.webhook(hook))["status"] == "enabled"


async def _enable(world: World, hook: Hook) -> None:
    async with writing(world.pool, "the webhook") as connection:
        await webhook_store.change(connection, world.environment, hook.id, {"status": "enabled"})


async def test_a_date_that_no_clock_reaches_is_a_failure_like_any_other(world: World) -> None:
    # Given
    hook, other = await world.hook("/odd"), await world.hook("/ok")
    world.receiver.on("/odd", answering(503, retry_after="Mon, 01 Jan 99999999999999999999 00:00:00 GMT"))
    # When
    async with world.service():
        await world.happen()
        row = await world.until(hook, status="failed", attempts=4, last_status_code=503)
        await world.until(other, status="delivered", attempts=1)
    # Then
    assert row["last_error"] == "The receiver answered 503."


async def test_an_attempt_that_breaks_counts_as_failed_and_holds_up_nobody(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given
    hook, other = await world.hook("/odd"), await world.hook("/ok")

    def break_it(response: httpcore.Response) -> Answer:
        if response.status == 418:
            raise RecursionError("who would have thought")
        return judged(response)

    monkeypatch.setattr(sending, "judged", break_it)
    world.receiver.on("/odd", answering(418))
    # When
    async with world.service():
        await world.happen()
        row = await world.until(hook, status="failed", attempts=4, last_status_code=None)
        await world.until(other, status="delivered", attempts=1)
    # Then
    assert row["last_error"] == "The attempt broke on our side (RecursionError)."
    assert (await world.webhook(hook))["failing_since"] is not None


async def test_a_fault_that_postgres_would_not_take_is_told_without_what_it_does_not_take(world: World) -> None:
    hook = await world.hook("/odd")
    await world.happen()
    deliveries = Deliveries(world.pool, world.settings.webhooks)
    await deliveries.make()
    [due] = await deliveries.claim()
    await deliveries.failed(due, Answer(None, "a\0b\udc80c"), None)
    assert (await world.until(hook, status="failed", attempts=1))["last_error"] == "ab?c"

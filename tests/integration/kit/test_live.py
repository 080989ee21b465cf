"""Those who wait for an event, and the two ways in which it reaches them."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from events.codec import encode_event
from events.envelope import Event
from services.kit import live as live_events
from services.kit.health import Health
from services.kit.live import PART, LiveEvents
from services.kit.notices import CHANNEL, decided_notice
from services.kit.postgres import Connection, Pool
from services.kit.process import running
from services.kit.settings import Settings
from tests.support.installation import Log, unique
from tests.support.services import eventually

from .conftest import MakeEvent, write_log

WAIT_S = 10.0


@pytest.fixture
async def live(installation: Settings, pool: Pool) -> AsyncIterator[LiveEvents]:
    """Live events that follow the topic already."""
    health = Health()
    events = LiveEvents(installation.kafka, installation.postgres, pool, health)
    async with running(events.run()):
        await eventually(lambda: health.is_well(PART))
        yield events


async def put(log: Log, event: Event, **changes: Any) -> None:
    record = encode_event(event)
    fields: dict[str, Any] = {"value": record.value, "key": record.key, "headers": record.headers}
    await log.producer.send_and_wait(log.events_topic, partition=event.partition, **(fields | changes))


async def test_a_notice_alone_releases_who_waits_for_a_commands_result(
    live: LiveEvents, connection: Connection, make_event: MakeEvent
) -> None:
    # Given
    event = make_event()
    await write_log(connection, event)
    with live.expecting("lab", event.command_id) as result:

        async def is_released() -> bool:
            await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, decided_notice([event]))
            return result.done()

        # When
        await eventually(is_released, WAIT_S)
    # Then
    assert result.result() == event


async def test_the_topic_alone_releases_who_waits_for_a_commands_result(
    live: LiveEvents, log: Log, make_event: MakeEvent
) -> None:
    event = make_event(partition=2)
    with live.expecting("lab", event.command_id) as result:
        await put(log, event)
        assert await asyncio.wait_for(result, WAIT_S) == event


async def test_who_waits_for_a_subject_is_released_by_any_event_about_it(
    live: LiveEvents, log: Log, make_event: MakeEvent
) -> None:
    event = make_event(subject="steps/train", is_result=False)
    with live.expecting("lab", "steps/train") as news:
        await put(log, event)
        assert await asyncio.wait_for(news, WAIT_S) == event


async def test_a_notice_alone_wakes_who_follows_the_environment(
    live: LiveEvents, connection: Connection, make_event: MakeEvent
) -> None:
    event = make_event()
    await write_log(connection, event)
    with live.watchers.watching("lab") as news, live.watchers.watching("shop") as other:

        async def is_woken() -> bool:
            await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, decided_notice([event]))
            return news.is_set()

        await eventually(is_woken, WAIT_S)
        assert not other.is_set()


async def test_the_topic_alone_wakes_who_follows_the_environment(
    live: LiveEvents, log: Log, make_event: MakeEvent
) -> None:
    with live.watchers.watching("lab") as news, live.watchers.watching("shop") as other:
        await put(log, make_event())
        await asyncio.wait_for(news.wait(), WAIT_S)
        assert not other.is_set()


async def test_all_who_wait_for_the_same_are_released(live: LiveEvents, log: Log, make_event: MakeEvent) -> None:
    event = make_event()
    with live.expecting("lab", event.command_id) as one, live.expecting("lab", event.command_id) as other:
        await put(log, event)
        assert set(await asyncio.wait_for(asyncio.gather(one, other), WAIT_S)) == {event}


@pytest.mark.parametrize(
    "change",
    [{"environment": "shop"}, {"is_result": False}, {"sequence": None}],
    ids=["another environment's", "not the last of its command", "of no environment"],
)
async def test_an_event_that_is_not_the_commands_result_releases_nobody(
    live: LiveEvents, log: Log, make_event: MakeEvent, change: dict[str, Any]
) -> None:
    # Given
    event = make_event(**change)
    later = make_event()
    with live.expecting("lab", event.command_id) as result, live.expecting("lab", later.command_id) as next_result:
        # When
        await put(log, event)
        await put(log, later)
        await asyncio.wait_for(next_result, WAIT_S)
        # Then
        assert not result.done()


@pytest.mark.parametrize(
    "change",
    [
        {"headers": []},
        {"headers": [("ce_type", b"\xff")]},
        {"value": b"\xff"},
        {"value": b""},
        {"value": None},
        {"value": None, "headers": []},
    ],
    ids=["no headers", "an unreadable type", "not utf-8", "empty", "a tombstone", "a bare tombstone"],
)
async def test_a_record_that_is_not_ours_does_not_stop_the_feed(
    live: LiveEvents, log: Log, make_event: MakeEvent, change: dict[str, Any]
) -> None:
    event = make_event()
    with capture_logs(), live.expecting("lab", event.command_id) as result:
        await put(log, make_event(), **change)
        await put(log, event)
        assert await asyncio.wait_for(result, WAIT_S) == event


async def test_who_stops_waiting_leaves_nothing_behind(live: LiveEvents, make_event: MakeEvent) -> None:
    event = make_event()
    with live.expecting("lab", event.command_id) as result:
        pass
    assert result.cancelled()
    assert not live._waiting


async def test_who_waited_before_the_feed_was_there_is_released_too(
    installation: Settings, pool: Pool, log: Log, make_event: MakeEvent
) -> None:
    health, event = Health(), make_event()
    events = LiveEvents(installation.kafka, installation.postgres, pool, health)
    with events.expecting("lab", event.command_id) as result:
        async with running(events.run()):
            await eventually(lambda: health.is_well(PART))
            await put(log, event)
            assert await asyncio.wait_for(result, WAIT_S) == event


async def test_a_feed_whose_topic_cannot_be_read_tries_on_and_says_so(
    installation: Settings, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a topic that is not there
    monkeypatch.setattr(live_events, "RECONNECT_S", 0.01)
    nowhere = installation.kafka.model_copy(update={"topic_prefix": unique("nowhere")})
    health = Health()
    events = LiveEvents(nowhere, installation.postgres, pool, health)
    # When
    async with running(events.run()):
        await eventually(lambda: health.turns > 2, WAIT_S)
        # Then the watchdog sees that it gets on, and people see that it is ill
        (turns,) = (await events.look()).values()
        assert turns.position == health.turns
        assert "the events topic cannot be read" in (health.troubles[PART] or "")

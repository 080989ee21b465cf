"""The live feed on real Kafka and Postgres: no gap and no double, whatever happens to the connection."""

import asyncio
import json
import time
from typing import Any

import pytest
from fastapi import sse
from structlog.testing import capture_logs

from pipeloom.client.watching import Event
from services.query import event_stream
from services.query.event_stream import Limits
from tests.support.services import eventually

from .conftest import WAIT_S, Feed

COMMANDS = 500


async def test_500_events_come_once_and_in_order_while_the_query_service_restarts(feed: Feed) -> None:
    # Given
    member = await feed.member()
    found: list[Event] = []

    async def follow() -> None:
        async with feed.client(member) as client, client.watch(since="beginning") as watch:
            async for event in watch:
                found.append(event)
                if len(found) == COMMANDS:
                    return

    # When
    async with feed.composer():
        async with feed.query():
            following = asyncio.create_task(follow())
            asking = asyncio.create_task(feed.ask(member.environment, 0, COMMANDS))
            await eventually(lambda: len(found) >= COMMANDS // 10)
        assert len(found) < COMMANDS, "the service was stopped in the middle of it"
        async with feed.query():
            await asyncio.wait_for(asyncio.gather(following, asking), 60)
    # Then
    assert [event.sequence for event in found] == list(range(1, COMMANDS + 1))
    assert {event.subject for event in found} == {f"pipelines/p{number}" for number in range(COMMANDS)}


async def test_a_reader_goes_on_behind_the_last_event_that_it_has(feed: Feed) -> None:
    member = await feed.member()
    async with feed.composer(), feed.query():
        await feed.ask(member.environment, 0, 5)
        async with feed.reading(member, {"from": "beginning"}) as reader:
            for _ in range(3):
                await reader.next()
        async with feed.reading(member, {"from": "beginning"}, {"Last-Event-ID": reader.parser.last_id}) as again:
            told = [await again.next() for _ in range(2)]
    assert [json.loads(each.data)["sequence"] for each in told] == ["4", "5"]


async def test_a_reader_from_now_on_is_told_where_now_is_before_anything_happens(feed: Feed) -> None:
    member = await feed.member()
    async with feed.composer(), feed.query():
        await feed.ask(member.environment, 0, 3)
        async with feed.reading(member, {"from": "beginning"}) as reader:
            for _ in range(3):
                await reader.next()
        async with feed.reading(member) as quiet:
            first = asyncio.create_task(quiet.next())
            await eventually(lambda: quiet.parser.last_id == "3", Limits().heartbeat_s / 2)
            await feed.ask(member.environment, 3, 4)
            told = json.loads((await first).data)
    assert (told["sequence"], told["subject"]) == ("4", "pipelines/p3")


async def test_a_new_event_comes_at_once(feed: Feed) -> None:
    member = await feed.member()
    async with feed.composer(), feed.query(), feed.client(member) as client, client.watch() as watch:
        began = time.monotonic()
        await feed.ask(member.environment, 0, 1)
        await asyncio.wait_for(anext(watch), WAIT_S)
    assert time.monotonic() - began < Limits().heartbeat_s / 2, "a hint brought it, not the next look"


async def test_another_environments_events_are_never_told(feed: Feed) -> None:
    mine, theirs = await feed.member(), await feed.member()
    async with feed.composer(), feed.query(), feed.reading(mine, {"from": "beginning"}) as reader:
        await feed.ask(theirs.environment, 0, 20)
        await feed.ask(mine.environment, 0, 20)
        told = [json.loads((await reader.next()).data) for _ in range(20)]
    assert {each["environment"] for each in told} == {mine.environment}
    assert [each["sequence"] for each in told] == [str(number) for number in range(1, 21)]


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"pipeline": "p1"}, ["2"]),
        ({"pipeline": "p11", "type": ["CommandRejected", "PipelineCreated"]}, ["12"]),
        ({"subject": "pipelines/p1"}, ["2", "11", "12"]),
        ({"type": ["CommandRejected", "PipelineCreated"], "subject": "pipelines/p11"}, ["12"]),
        ({"type": "CommandRejected", "subject": "pipelines/p9"}, ["10"]),
    ],
    ids=str,
)
async def test_only_what_is_wanted_is_told(feed: Feed, params: dict[str, object], expected: list[str]) -> None:
    member = await feed.member()
    async with feed.composer(), feed.query(), feed.reading(member, {**params, "from": "beginning"}) as reader:
        await feed.ask(member.environment, 0, 12)
        told = [json.loads((await reader.next()).data)["sequence"] for _ in expected]
    assert told == expected


async def test_a_filter_that_nothing_passes_still_tells_how_far_it_has_come(
    feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.query.events.Limits", lambda: Limits(heartbeat_s=0.1))
    member = await feed.member()
    async with (
        feed.composer(),
        feed.query(),
        feed.reading(member, {"type": "PipelineDeleted", "from": "beginning"}) as reader,
    ):
        first = asyncio.create_task(reader.next())
        await feed.ask(member.environment, 0, 7)
        await eventually(lambda: reader.parser.last_id == "7")
        first.cancel()
        await asyncio.wait({first})


async def test_the_end_of_the_service_is_told_and_takes_no_time(feed: Feed) -> None:
    member = await feed.member()
    async with feed.query():
        readers = [feed.reading(member) for _ in range(3)]
        opened = [await each.__aenter__() for each in readers]
        began = time.monotonic()
    took_s = time.monotonic() - began
    told = [await each.next() for each in opened]
    assert [each.name for each in told] == ["shutting_down"] * 3
    for each, reader in zip(readers, opened, strict=True):
        with pytest.raises(StopAsyncIteration):
            await reader.next()
        await each.__aexit__(None, None, None)
    assert took_s < 3


async def test_an_expired_token_ends_the_stream_with_a_reason(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.kit.tokens.Tokens.expires_at", lambda *_: time.time() + 0.5)
    member = await feed.member()
    async with feed.query(), feed.reading(member) as reader:
        assert (await reader.next()).name == "token_expired"
        with pytest.raises(StopAsyncIteration):
            await reader.next()


async def test_a_client_goes_on_with_a_new_token(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.kit.tokens.Tokens.expires_at", lambda *_: time.time() + 0.3)
    member = await feed.member()
    async with feed.composer(), feed.query(), feed.client(member) as client, client.watch() as watch:
        for number in range(4):
            coming = asyncio.ensure_future(anext(watch))
            await asyncio.sleep(0.4)  # longer than a token counts
            await feed.ask(member.environment, number, number + 1)
            assert (await asyncio.wait_for(coming, WAIT_S)).sequence == number + 1


async def test_more_streams_than_a_process_holds_are_refused(feed: Feed) -> None:
    feed.settings.http.max_streams = 1
    member = await feed.member()
    async with feed.query():
        async with feed.reading(member) as first, feed.reading(member) as second:
            refusal = json.loads(await second.response.aread())
            assert first.response.status_code == 200
        assert (second.response.status_code, refusal["name"]) == (503, "too_many_streams")
        assert "retry-after" in second.response.headers

        async def is_free() -> bool:
            async with feed.reading(member) as third:
                return third.response.status_code == 200

        await eventually(is_free)


async def test_postgres_that_is_away_for_a_moment_ends_no_stream(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    member = await feed.member()
    reads = 0

    async def broken(*_: object, **__: object) -> None:
        nonlocal reads
        reads += 1
        raise OSError("away")

    async with feed.composer(), feed.query(), feed.client(member) as client, client.watch() as watch:
        coming = asyncio.ensure_future(anext(watch))
        with monkeypatch.context() as away:
            away.setattr("services.query.event_pages.read_history", broken)
            await feed.ask(member.environment, 0, 1)
            await eventually(lambda: reads > 0)
        assert (await asyncio.wait_for(coming, WAIT_S)).sequence == 1


@pytest.fixture
def flood(monkeypatch: pytest.MonkeyPatch) -> None:
    """Heartbeats that no buffer takes for long, and little patience with who does not read them."""
    plain = sse.format_sse_event

    def large(**given: Any) -> bytes:
        return b":" * 1_000_000 + b"\n\n" if "comment" in given else plain(**given)

    monkeypatch.setattr(event_stream, "format_sse_event", large)
    monkeypatch.setattr("services.query.events.Limits", lambda: Limits(heartbeat_s=0.01, send_s=1.0, hurried_s=0.1))


@pytest.mark.usefixtures("flood")
async def test_a_slow_reader_is_told_that_it_was_too_slow(feed: Feed) -> None:
    member = await feed.member()
    with capture_logs() as logs:
        async with feed.query(), feed.reading(member) as reader:
            await eventually(lambda: any("too slow" in entry["event"] for entry in logs))
            assert (await reader.next()).name == "too_slow"
            with pytest.raises(StopAsyncIteration):
                await reader.next()


@pytest.mark.usefixtures("flood")
async def test_a_reader_that_reads_nothing_is_dropped_and_its_place_freed(
    feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.kit.process.UNREAD_WITHIN_MS", 1_500)
    feed.settings.http.max_streams = 1
    member = await feed.member()
    async with feed.query(), feed.reading(member) as stuck:
        assert stuck.response.status_code == 200

        async def is_free() -> bool:
            async with feed.reading(member) as other:
                return other.response.status_code == 200

        assert not await is_free()
        await eventually(is_free)

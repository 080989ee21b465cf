"""Following events over connections that break."""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from pipeloom import AsyncClient, Event, Invalid, Unauthenticated, Unavailable, Unreadable
from pipeloom.client import watching

from .conftest import Caller, Service

OPENING = b"id: 0\nretry: 1000\n\n"
HEARTBEAT = b": heartbeat\nid: 9\n\n"
EXPIRED = b'event: token_expired\ndata: {"code": "token_expired", "message": "..."}\n\n'


def told(sequence: int, **changes: Any) -> bytes:
    document = {
        "specversion": "1.0",
        "id": f"0192f6a0-0000-7000-8000-000000000001.{sequence}",
        "type": "pipeloom.PipelineCreated.v1",
        "source": "/pipeloom/environments/lab",
        "subject": "pipelines/churn",
        "time": "2026-01-31T12:00:00.000Z",
        "environment": "lab",
        "actor": "ada",
        "commandid": "0192f6a0-0000-7000-8000-000000000001",
        "commandsource": "/pipeloom/http",
        "sequence": str(sequence),
        "position": f"{sequence}.0",
        "result": True,
        "data": {"pipeline": {"pipeline_name": "churn"}},
        **changes,
    }
    return f"event: PipelineCreated\ndata: {json.dumps(document)}\nid: {sequence}\n\n".encode()


class Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    """The pieces of a stream, and how it breaks."""

    def __init__(self, *pieces: bytes, breaks: bool = False) -> None:
        self.pieces = pieces
        self.breaks = breaks
        self.is_closed = False

    def __iter__(self) -> Iterator[bytes]:
        yield from self.pieces
        if self.breaks:
            raise httpx.ReadError("broken")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self:
            yield piece

    def close(self) -> None:
        self.is_closed = True

    async def aclose(self) -> None:
        self.is_closed = True


def streams(service: Service, *pieces: bytes, breaks: bool = False) -> Body:
    body = Body(*pieces, breaks=breaks)
    service.script.append(httpx.Response(200, headers={"Content-Type": "text/event-stream"}, stream=body))
    return body


async def take(call: Caller, number: int, **options: Any) -> list[Event]:
    """Return the first events that are told, and close."""
    watch: Any = call.client.watch(**options)
    if isinstance(call.client, AsyncClient):
        async with watch:
            return [await anext(watch) for _ in range(number)]
    with watch:
        return [next(watch) for _ in range(number)]


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that were asked for, none of which is made."""
    asked: list[float] = []

    def at_once(subscription: Any, error: Exception | None) -> float:
        asked.append(real(subscription, error))
        return 0.0

    real = watching.Subscription.pause_s
    monkeypatch.setattr(watching.Subscription, "pause_s", at_once)
    return asked


async def test_an_event_is_told_with_its_parts(call: Caller, service: Service) -> None:
    streams(service, OPENING, told(7))
    (event,) = await take(call, 1)
    assert (event.sequence, event.type, event.version, event.subject) == (7, "PipelineCreated", 1, "pipelines/churn")
    assert (event.actor, event.is_result, event.data["pipeline"]) == ("ada", True, {"pipeline_name": "churn"})


async def test_what_is_wanted_is_asked_for(call: Caller, service: Service) -> None:
    streams(service, OPENING, told(1))
    await take(call, 1, types=["StepReady", "StepFailed"], subject="steps/", since="beginning")
    assert service.request.url.params.multi_items() == [
        ("type", "StepReady"),
        ("type", "StepFailed"),
        ("subject", "steps/"),
        ("from", "beginning"),
    ]
    assert "last-event-id" not in service.request.headers
    assert service.request.headers["accept"] == "text/event-stream"


async def test_one_type_may_be_a_plain_text(call: Caller, service: Service) -> None:
    streams(service, OPENING, told(1))
    await take(call, 1, types="StepReady")
    assert service.request.url.params.get_list("type") == ["StepReady"]


async def test_a_sequence_is_a_place_to_begin_behind(call: Caller, service: Service) -> None:
    streams(service, OPENING, told(42))
    await take(call, 1, since=41)
    assert service.request.headers["last-event-id"] == "41"


@pytest.mark.parametrize("breaks", [True, False], ids=["broken", "ended"])
@pytest.mark.parametrize(
    ("rest", "place"), [(b"", "2"), (HEARTBEAT, "9"), (told(3)[:-1], "2"), (b"id: 7\n", "2")], ids=str
)
async def test_a_stream_that_breaks_goes_on_behind_what_was_told_completely(
    call: Caller, service: Service, breaks: bool, rest: bytes, place: str
) -> None:
    streams(service, OPENING, told(1) + told(2), rest, breaks=breaks)
    streams(service, OPENING, told(3))
    events = await take(call, 3)
    assert [event.sequence for event in events] == [1, 2, 3]
    assert service.requests[1].headers["last-event-id"] == place


async def test_from_now_on_is_from_the_same_now_on_after_a_break(call: Caller, service: Service) -> None:
    streams(service, b"id: 17\nretry: 1000\n\n", breaks=True)
    streams(service, told(18))
    await take(call, 1)
    assert service.requests[1].headers["last-event-id"] == "17"


async def test_a_service_that_is_away_for_a_while_is_waited_for(
    call: Caller, service: Service, pauses: list[float]
) -> None:
    streams(service, OPENING, told(1), breaks=True)
    service.fails(*[httpx.ConnectError] * 8)
    streams(service, OPENING, told(2))
    assert [event.sequence for event in await take(call, 2)] == [1, 2]
    assert len(pauses) == 3
    assert 0.5 <= pauses[0] <= 1.5
    assert 2.0 <= pauses[2] <= 6.0


async def test_a_service_that_never_was_there_is_unavailable(call: Caller, service: Service) -> None:
    service.fails(*[httpx.ConnectError] * 4)
    with pytest.raises(Unavailable):
        await take(call, 1)


async def test_a_new_token_is_got_at_once_when_the_stream_ends_with_the_old_one(
    call: Caller, service: Service, pauses: list[float]
) -> None:
    streams(service, OPENING, told(1), EXPIRED)
    streams(service, OPENING, told(2))
    assert [event.sequence for event in await take(call, 2)] == [1, 2]
    assert len(service.refreshes) == 2
    assert pauses == [0.0]


@pytest.mark.parametrize(
    ("status", "code", "kind"), [(400, "invalid_header", Invalid), (401, "invalid_token", Unauthenticated)]
)
async def test_a_refusal_ends_it(call: Caller, service: Service, status: int, code: str, kind: type[Exception]) -> None:
    streams(service, OPENING, told(1))
    for _ in range(2):
        service.answers(status, {"name": code, "message": "no"})
    with pytest.raises(kind, match=code):
        await take(call, 2)


async def test_an_answer_that_is_no_stream_is_unreadable(call: Caller, service: Service) -> None:
    service.answers(200, {"hello": "world"})
    with pytest.raises(Unreadable):
        await take(call, 1)


@pytest.mark.parametrize("data", ["nonsense", '{"specversion": "1.0"}', '{"specversion": "1.0", "type": 7}'])
async def test_what_pipeloom_does_not_say_is_unreadable(call: Caller, service: Service, data: str) -> None:
    streams(service, OPENING, f"data: {data}\n\n".encode())
    with pytest.raises(Unreadable):
        await take(call, 1)


async def test_closing_closes_the_connection_and_ends_the_iterator(call: Caller, service: Service) -> None:
    body = streams(service, OPENING, told(1), told(2))
    watch: Any = call.client.watch()
    if isinstance(call.client, AsyncClient):
        assert (await anext(watch)).sequence == 1
        await watch.aclose()
        with pytest.raises(StopAsyncIteration):
            await anext(watch)
    else:
        assert next(watch).sequence == 1
        watch.close()
        with pytest.raises(StopIteration):
            next(watch)
    assert body.is_closed


async def test_a_block_in_which_nothing_was_read_closes_the_connection_too(call: Caller, service: Service) -> None:
    body = streams(service, OPENING)
    await take(call, 0)
    assert body.is_closed


async def test_a_pipeline_is_asked_for_by_its_exact_name(call: Caller, service: Service) -> None:
    streams(service, OPENING, told(1))
    await take(call, 1, pipeline="churn")
    assert service.requests[0].url.params["pipeline"] == "churn"
    assert "subject" not in service.requests[0].url.params

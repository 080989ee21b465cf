"""Histories, decided commands and dead letters, as both clients ask for them."""

from datetime import UTC, datetime
from typing import Any

import pytest

from pipeloom import DeadLetterNotFound, DeadLetterReplayed, PipelineNotFound

from .conftest import Caller, Service


def linked(path: str) -> dict[str, str]:
    return {"Link": f'</api/v1{path}>; rel="next"'}


@pytest.mark.parametrize(
    ("method", "arguments", "expected"),
    [
        ("history", {"kind": "pipeline", "name": "a b"}, "/pipelines/a%20b/history?order=newest&limit=1000"),
        (
            "history",
            {"kind": "step", "name": "s", "limit": 5, "oldest_first": True},
            "/steps/s/history?order=oldest&limit=5",
        ),
        ("list_commands", {}, "/commands?limit=100"),
        (
            "list_commands",
            {"status": "rejected", "command_type": "StepRequested", "since": datetime(2026, 1, 31, tzinfo=UTC)},
            "/commands?status=rejected&type=StepRequested&since=",
        ),
        ("list_dead_letters", {"status": "open"}, "/dead-letters?status=open&limit=100"),
    ],
)
async def test_a_list_is_asked_for(
    call: Caller, service: Service, method: str, arguments: dict[str, Any], expected: str
) -> None:
    service.answers(200, [{"some": "entry"}])
    assert await call(method, **arguments) == [{"some": "entry"}]
    assert service.request.url.raw_path.decode().startswith(f"/api/v1{expected}")


async def test_empty_pages_are_passed_over_until_there_is_enough(call: Caller, service: Service) -> None:
    service.answers(200, [], linked("/commands?limit=2&after=9")).answers(200, [1], linked("/commands?limit=2&after=8"))
    service.answers(200, [2, 3], linked("/commands?limit=2&after=6"))
    assert await call("list_commands", limit=2) == [1, 2]


@pytest.mark.parametrize("arguments", [("endpoint", "x"), ("step", "x", 0)])
async def test_what_cannot_be_asked_is_told_before_anything_is_sent(
    call: Caller, service: Service, arguments: tuple[Any, ...]
) -> None:
    with pytest.raises(ValueError, match="must be"):
        await call("history", *arguments)
    assert service.requests == []


async def test_a_name_that_never_was_has_no_history(call: Caller, service: Service) -> None:
    service.answers(404, {"name": "pipeline_not_found", "message": "no"})
    with pytest.raises(PipelineNotFound):
        await call("history", "pipeline", "p")


async def test_a_letter_that_is_not_there_is_none(call: Caller, service: Service) -> None:
    service.answers(404, {"name": "dead_letter_not_found", "message": "no"})
    assert await call("get_dead_letter", "3-1") is None


@pytest.mark.parametrize(
    ("mended", "body"),
    [
        ({}, b""),
        ({"data": {"a": 1}}, b'{"data":{"a":1}}'),
        ({"command_type": "StepRequested"}, b'{"type":"StepRequested"}'),
    ],
)
async def test_a_letter_is_replayed_with_what_is_mended(
    call: Caller, service: Service, mended: dict[str, Any], body: bytes
) -> None:
    service.answers(200, {"status": "succeeded"})
    assert await call("replay_dead_letter", "3-1", **mended) == {"status": "succeeded"}
    assert (service.request.method, service.request.url.path) == ("POST", "/api/v1/dead-letters/3-1/replay")
    assert service.request.content == body


async def test_a_letter_that_took_effect_is_a_conflict(call: Caller, service: Service) -> None:
    service.answers(409, {"name": "dead_letter_replayed", "message": "no"})
    with pytest.raises(DeadLetterReplayed):
        await call("replay_dead_letter", "3-1")


async def test_a_letter_is_discarded(call: Caller, service: Service) -> None:
    service.answers(200, {"status": "discarded"}).answers(404, {"name": "dead_letter_not_found", "message": "no"})
    assert await call("discard_dead_letter", "3-1") == {"status": "discarded"}
    with pytest.raises(DeadLetterNotFound):
        await call("discard_dead_letter", "3-2")

"""Asking what became of a command."""

import asyncio
import json
import time
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import pytest

from events.envelope import Event, Position
from services.kit.backend import Backend

from .conftest import News, Postgres, Row

COMMAND = UUID("0192f6a0-0000-7000-8000-000000000001")
ADDRESS = f"/commands/{COMMAND}"
OTHER = "/commands/0192f6a0-0000-7000-8000-000000000002"
CREATED = {"pipeline": {"pipeline_name": "churn"}}
REJECTED = {
    "command_type": "PipelineRequested",
    "command_subject": "pipelines/churn",
    "code": "step_not_ready",
    "message": "The step 'train' is not Ready.",
    "details": {"step_name": "train"},
}


def event(kind: str, data: dict[str, Any]) -> Event:
    return Event(
        partition=0,
        position=Position(41, 0),
        environment="lab",
        sequence=7,
        type=kind,
        version=1,
        subject="pipelines/churn",
        command_id=COMMAND,
        command_source="/tests",
        is_result=True,
        actor="ada",
        time="2026-01-31T12:00:00.000Z",
        data=json.dumps(data),
    )


def logged(event: Event) -> Row:
    return {
        **{name: getattr(event, name) for name in Event.__slots__ if name != "position"},
        "log_offset": event.position.offset,
        "log_index": event.position.index,
        "time": datetime(2026, 1, 31, 12, tzinfo=UTC),
        "fingerprint": b"",
    }


TOLD = {
    "command_id": str(COMMAND),
    "subject": "pipelines/churn",
    "time": "2026-01-31T12:00:00.000Z",
    "sequence": 7,
    "traceparent": None,
}
SUCCEEDED = {**TOLD, "type": "PipelineCreated", "status": "succeeded", "result": CREATED}


async def test_a_command_that_took_effect_is_told_with_its_result(http: httpx.AsyncClient, postgres: Postgres) -> None:
    postgres.find = lambda sql, given: logged(event("PipelineCreated", CREATED))
    response = await http.get(ADDRESS)
    assert (response.status_code, response.json()) == (200, SUCCEEDED)


async def test_a_rejected_command_is_told_with_its_refusal(http: httpx.AsyncClient, postgres: Postgres) -> None:
    postgres.find = lambda sql, given: logged(event("CommandRejected", REJECTED))
    response = await http.get(ADDRESS)
    assert (response.status_code, response.json()) == (
        200,
        {
            **TOLD,
            "type": "CommandRejected",
            "status": "rejected",
            "command_type": "PipelineRequested",
            "refusal": {
                "code": "step_not_ready",
                "message": "The step 'train' is not Ready.",
                "details": {"step_name": "train"},
            },
        },
    )


async def test_a_command_is_looked_for_in_the_askers_environment_only(
    http: httpx.AsyncClient, postgres: Postgres
) -> None:
    asked: list[tuple[Any, ...]] = []

    def find(sql: str, given: tuple[Any, ...]) -> Row | None:
        asked.append(given)
        return None

    postgres.find = find
    await http.get(ADDRESS)
    assert asked == [("lab", COMMAND)]


@pytest.mark.parametrize("params", [{}, {"wait": "0"}, {"wait": "1"}], ids=str)
async def test_a_command_without_a_result_is_unknown(
    http: httpx.AsyncClient, news: News, params: dict[str, str]
) -> None:
    response = await http.get(ADDRESS, params=params)
    assert (response.status_code, response.json()["status"]) == (202, "unknown")
    assert "retry-after" in response.headers
    assert not news.waiting


async def test_a_client_that_waits_is_told_the_result_when_it_comes(http: httpx.AsyncClient, news: News) -> None:
    news.on_wait = lambda: news.waiting["lab", COMMAND].set_result(event("PipelineCreated", CREATED))
    response = await http.get(ADDRESS, params={"wait": "30"})
    assert (response.status_code, response.json()) == (200, SUCCEEDED)
    assert not news.waiting


@pytest.fixture
def one_long_poll(backend: Backend) -> None:
    backend.settings.http.max_streams_per_environment = 1


async def test_an_environment_that_waits_for_as_many_as_it_may_is_refused_what_would_wait_too(
    one_long_poll: None, http: httpx.AsyncClient, news: News
) -> None:
    # Given
    waits = asyncio.Event()
    news.on_wait = waits.set
    held = asyncio.create_task(http.get(ADDRESS, params={"wait": "30"}))
    await asyncio.wait_for(waits.wait(), 3)
    result = news.waiting["lab", COMMAND]
    # When
    refused, at_once = await http.get(ADDRESS, params={"wait": "1"}), await http.get(OTHER)
    result.set_result(event("PipelineCreated", CREATED))
    # Then
    assert (refused.status_code, refused.json()["name"]) == (429, "environment_overloaded")
    assert "retry-after" in refused.headers
    assert (at_once.status_code, (await held).status_code) == (202, 200)


@pytest.mark.parametrize("wait", ["-1", "61", "1.5", "long"])
async def test_a_wait_that_cannot_be_is_refused(http: httpx.AsyncClient, wait: str) -> None:
    response = await http.get(ADDRESS, params={"wait": wait})
    assert (response.status_code, response.json()["name"]) == (422, "invalid_parameter")


async def test_an_id_that_is_no_uuid_is_refused(http: httpx.AsyncClient) -> None:
    response = await http.get("/commands/17")
    assert (response.status_code, response.json()["name"]) == (422, "invalid_parameter")


async def test_what_cannot_be_read_is_unavailable(http: httpx.AsyncClient, postgres: Postgres) -> None:
    def away(sql: str, given: tuple[Any, ...]) -> Row | None:
        raise TimeoutError

    postgres.find = away
    response = await http.get(ADDRESS)
    assert (response.status_code, response.json()["name"]) == (503, "postgres_unavailable")


async def test_a_postgres_that_hangs_is_told_within_the_wait_and_a_second(
    http: httpx.AsyncClient, postgres: Postgres
) -> None:
    postgres.hang_s = 30.0
    began = time.monotonic()
    response = await http.get(ADDRESS, params={"wait": "1"})
    assert (response.status_code, response.json()["name"]) == (503, "postgres_unavailable")
    assert time.monotonic() - began < 2.5


async def test_a_process_that_ends_tells_who_waits_that_there_is_no_result_yet(
    http: httpx.AsyncClient, news: News, backend: Backend
) -> None:
    news.on_wait = backend.ending.set
    response = await asyncio.wait_for(http.get(ADDRESS, params={"wait": "30"}), 3)
    assert (response.status_code, response.json()["status"]) == (202, "unknown")


@pytest.mark.parametrize(
    ("wait", "fault"),
    [
        (str(10**30), "must be at most 60"),
        ("9" * 5000, "must be a whole number of fewer digits"),
        ("-5", "must be at least 0"),
        ("soon", "must be a whole number"),
        ("1.5", "must be a whole number"),
    ],
)
async def test_a_wait_that_cannot_be_is_told_with_what_can(http: httpx.AsyncClient, wait: str, fault: str) -> None:
    response = await http.get(ADDRESS, params={"wait": wait})
    assert response.json()["message"] == f"wait: {fault}."

"""Asking how commands fare."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from services.kit.activity_shapes import Activity
from services.kit.latency import Histogram, bucket_of, upper_ms
from services.monitor.activity import Minute, Tally
from services.monitor.snapshots import tallies_of
from tests.support.openapi import contract

from .conftest import Postgres, Row

NOW = datetime(2026, 1, 31, 12, 0, 30, tzinfo=UTC)
MINUTE = int(NOW.timestamp() // 60)
FAST, SLOW = bucket_of(5), bucket_of(900)
DOCUMENT = {
    "open": 2,
    "overdue": 1,
    "overdue_commands": [{"command_id": "c-1", "command_type": "StepRequested", "asked_ms": 0}],
}


def tally(latencies: Histogram, **refused: int) -> Tally:
    return Tally(sum(latencies.values()), refused, latencies)


MINUTES = {
    MINUTE - 90: {"StepRequested": tally({FAST: 7})},
    MINUTE - 1: {"StepRequested": tally({FAST: 98}, step_exists=3)},
    MINUTE: {"PipelineRequested": tally({FAST: 1}), "StepRequested": tally({SLOW: 2}, step_exists=1)},
}


def told(document: Any = DOCUMENT, as_of: datetime | None = NOW) -> Row:
    return {"document": document and json.dumps(document), "partition": document and 3, "as_of": as_of, "now": NOW}


def lists(sql: str, given: tuple[Any, ...]) -> list[Row]:
    if "activity_minute" not in sql:
        return [{"part": "composer", "behind": 4, "measured_at": NOW}]
    asked = next(each for each in given if each in {1, 60, 120})
    wanted = {minute: types for minute, types in MINUTES.items() if minute > MINUTE - asked}
    return [{"minute": minute, "tallies": tallies_of(Minute(0, types))} for minute, types in wanted.items()]


async def activity(http: httpx.AsyncClient, query: str = "") -> Activity:
    answer = await http.get(f"/activity{query}")
    assert answer.status_code == 200, answer.text
    assert contract().breaches(answer) == [] or "X-Request-Id" in str(contract().breaches(answer))
    body: Activity = answer.json()
    return body


async def test_results_are_added_up_by_type_and_told_by_minute(http: httpx.AsyncClient, postgres: Postgres) -> None:
    postgres.find = lambda *_: told()
    postgres.list = lists

    body = await activity(http)

    pipelines, steps = body["types"]
    assert (pipelines["command_type"], pipelines["results"]) == ("PipelineRequested", 1)
    assert (steps["results"], steps["refused"]) == (100, {"step_exists": 4})
    assert steps["latency_ms"] == {"p50": upper_ms(FAST), "p95": upper_ms(FAST), "p99": upper_ms(SLOW)}
    assert [each["results"] for each in steps["per_minute"]] == [98, 2]
    assert steps["per_minute"][1]["minute"] == "2026-01-31T12:00:00.000Z"
    assert (body["as_of"], body["stale"]) == ("2026-01-31T12:00:30.000Z", False)
    assert (body["open"], body["overdue"]) == (2, 1)
    assert body["overdue_commands"][0]["asked_at"] == "1970-01-01T00:00:00.000Z"
    assert body["parts"] == [{"part": "composer", "behind": 4, "measured_at": "2026-01-31T12:00:30.000Z"}]


async def test_the_minutes_can_be_more_or_fewer(http: httpx.AsyncClient, postgres: Postgres) -> None:
    postgres.find = lambda *_: told()
    postgres.list = lists
    assert [each["results"] for each in (await activity(http, "?minutes=1"))["types"]] == [1, 2]
    assert [each["results"] for each in (await activity(http, "?minutes=120"))["types"]] == [1, 107]


async def test_numbers_of_a_monitor_that_is_away_are_told_as_old_ones(
    http: httpx.AsyncClient, postgres: Postgres
) -> None:
    postgres.find = lambda *_: told(as_of=NOW - timedelta(minutes=10))

    body = await activity(http, "?minutes=1")

    assert body["stale"]
    assert body["as_of"] == "2026-01-31T11:50:30.000Z"
    assert body["open"] == 2


async def test_where_nothing_was_ever_measured_nothing_is_made_up(http: httpx.AsyncClient, postgres: Postgres) -> None:
    postgres.find = lambda *_: told(document=None, as_of=None)

    body = await activity(http)

    assert (body["as_of"], body["stale"], body["types"], body["parts"]) == (None, True, [], [])


async def test_a_parameter_that_does_not_exist_is_refused_with_those_that_do(http: httpx.AsyncClient) -> None:
    answer = await http.get("/activity?minute=5")
    assert answer.status_code == 400
    assert "the known ones are minutes" in answer.json()["message"]


async def test_minutes_have_bounds(http: httpx.AsyncClient) -> None:
    assert {(await http.get(f"/activity?minutes={each}")).status_code for each in ("0", "1441", "x")} == {422}


async def test_when_postgres_is_away_that_is_said(http: httpx.AsyncClient, postgres: Postgres) -> None:
    def away(*_: Any) -> None:
        raise OSError("no route")

    postgres.find = away
    answer = await http.get("/activity")
    assert (answer.status_code, answer.json()["name"]) == (503, "postgres_unavailable")

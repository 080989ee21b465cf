"""Reading deployments: the stored page as it is, except for who waits; schedules and logs."""

import json
from datetime import UTC, datetime

import httpx
import pytest

from services.kit.schedules import next_times

from .conftest import Postgres, Row

PAGE = {"name": "nightly", "execution_rule": "periodic", "schedule": "0 6 29 2 *", "status": "standby"}


def having(postgres: Postgres, **changes: object) -> str:
    document = json.dumps({**PAGE, "human_readable_schedule": "Rarely", **changes})
    row: Row = {"document": document, "version": 7}
    postgres.find = lambda sql, given: row
    return document


async def test_a_page_is_sent_as_it_is_stored(http: httpx.AsyncClient, postgres: Postgres) -> None:
    document = having(postgres)
    answer = await http.get("/deployments/nightly?wait_for_completion=False")
    assert (answer.text, answer.headers["etag"]) == (document, '"7"')


@pytest.mark.parametrize("wait", ["true", "True"])
async def test_who_waits_is_told_up_once_there_is_a_page(
    http: httpx.AsyncClient, postgres: Postgres, wait: str
) -> None:
    document = json.loads(having(postgres))
    answer = await http.get(f"/deployments/nightly?wait_for_completion={wait}")
    assert answer.json() == {**document, "status": "up"}


async def test_a_schedule_is_told_with_its_next_times(http: httpx.AsyncClient, postgres: Postgres) -> None:
    having(postgres)
    told = (await http.get("/deployments/nightly/schedule")).json()
    assert (told["schedule"], told["human_readable_schedule"]) == ("0 6 29 2 *", "Rarely")
    assert len(told["next_times"]) == 3
    assert all(each.endswith("-02-29T06:00:00.000Z") for each in told["next_times"])


async def test_a_deployment_without_a_schedule_says_so(http: httpx.AsyncClient, postgres: Postgres) -> None:
    having(postgres, execution_rule="endpoint", schedule=None)
    answer = await http.get("/deployments/nightly/schedule")
    assert (answer.status_code, answer.json()["name"]) == (409, "wrong_execution_rule")


@pytest.mark.parametrize("body", [None, {}, {"from": 1, "to": 2.5, "limit": 1}])
async def test_there_are_no_logs_yet(http: httpx.AsyncClient, postgres: Postgres, body: object) -> None:
    having(postgres)
    answer = await http.post("/deployments/nightly/logs", json=body)
    assert (answer.status_code, answer.json()) == (200, [])


@pytest.mark.parametrize("body", [{"to": False}, {"from": "1"}, {"limit": True}, {"limit": 0}])
async def test_a_range_of_logs_is_numbers(http: httpx.AsyncClient, postgres: Postgres, body: object) -> None:
    having(postgres)
    answer = await http.post("/deployments/nightly/logs", json=body)
    assert (answer.status_code, answer.json()["name"]) == (422, "invalid_body")


def test_the_next_times_begin_behind_the_moment() -> None:
    noon = datetime(2026, 1, 31, 12, tzinfo=UTC)
    assert next_times("0 12 * * *", noon, 2) == [
        datetime(2026, 2, 1, 12, tzinfo=UTC),
        datetime(2026, 2, 2, 12, tzinfo=UTC),
    ]

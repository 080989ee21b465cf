"""Schedules are five cron fields in UTC, told back in words; anything else is refused."""

import pytest

from tests.acceptance.problems import problem
from tests.acceptance.tenant import Tenant

IN_WORDS = {
    "0 3 * * *": "At 03:00 AM",
    "*/5 * * * *": "Every 5 minutes",
    "30 6 * * 1": "At 06:30 AM, only on Monday",
    "0 0 5 * *": "At 12:00 AM, on day 5 of the month",
    # It can be followed, but there are no words for it.
    "0 1,* 1 1 1": "0 1,* 1 1 1",
}
NOT_SCHEDULES = [
    "",
    " ",
    "every day",
    "@daily",
    "0 3 * *",
    "0 3 * * * *",
    "60 3 * * *",
    "0 24 * * *",
    "0 3 0 * *",
    "0 3 * 13 *",
    "0 3 * * 9",
    "0 3 * * monday",
    "5-1 3 * * *",
    "*/0 * * * *",
    "-1 * * * *",
    "0 3 * * *\x00",
    "٣ 3 * * *",
]


@pytest.mark.parametrize("schedule", IN_WORDS)
async def test_a_schedule_is_told_in_words(tenant: Tenant, pipeline: str, schedule: str) -> None:
    created = await tenant.schedule("nightly", pipeline, schedule)
    read = await tenant.http.get("/deployments/nightly")

    assert created.status_code == 201
    assert created.json() == read.json()
    assert (read.json()["schedule"], read.json()["human_readable_schedule"]) == (schedule, IN_WORDS[schedule])


@pytest.mark.parametrize("schedule", NOT_SCHEDULES)
async def test_what_is_no_schedule_is_refused(tenant: Tenant, pipeline: str, schedule: str) -> None:
    told = problem(await tenant.schedule("nightly", pipeline, schedule), 422, "invalid_schedule")

    assert "five cron fields" in told["message"]
    assert await tenant.names("/deployments", "name") == []


async def test_a_periodic_deployment_needs_a_schedule(tenant: Tenant, pipeline: str) -> None:
    answer = await tenant.http.post("/periodic-deployment", json={"name": "nightly", "pipeline_name": pipeline})

    problem(answer, 422, "invalid_schedule")

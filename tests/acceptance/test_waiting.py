"""Who waits for a result, how long, and where it is told afterwards."""

import asyncio
import time
from uuid import UUID, uuid4

import httpx
import pytest

from events.commands import PipelineRequested
from tests.acceptance.problems import problem
from tests.acceptance.stack import Stack
from tests.acceptance.tenant import API, NewTenant, Tenant

ANY_ID = "01890a5d-ac96-774b-bcce-b302099a8057"


async def told(tenant: Tenant, command_id: UUID | str, wait_s: int = 20) -> httpx.Response:
    """Return what is told of a command, once it has a result or `wait_s` is over."""
    return await tenant.http.get(f"/commands/{command_id}", params={"wait": wait_s})


@pytest.mark.parametrize(
    "prefer", ["respond-async", "respond-async, wait=0", "wait=0", "wait=1", 'handling=lenient; a, wait="0"']
)
async def test_who_does_not_wait_is_told_where_to_ask(tenant: Tenant, step: str, stack: Stack, prefer: str) -> None:
    with stack.paused("composer"):
        answer = await tenant.create_pipeline("churn", step, Prefer=prefer)
        command_id = answer.headers["pipeloom-command-id"]
        meanwhile = await told(tenant, command_id, wait_s=0)

    assert answer.status_code == 202
    assert answer.headers["location"] == f"{API}/commands/{command_id}"
    assert answer.headers["preference-applied"]
    assert (answer.json()["command_id"], answer.json()["status"]) == (command_id, "accepted")
    assert (meanwhile.status_code, meanwhile.json()["status"]) == (202, "unknown")
    afterwards = await told(tenant, command_id)
    assert (afterwards.status_code, afterwards.json()["status"]) == (200, "succeeded")
    assert await tenant.names("/pipelines", "pipeline_name") == ["churn"]


async def test_respond_async_is_answered_at_once_also_when_the_result_is_quick(tenant: Tenant, step: str) -> None:
    answers = [await tenant.create_pipeline(f"p{number}", step, Prefer="respond-async") for number in range(20)]

    assert {answer.status_code for answer in answers} == {202}


async def test_who_waits_long_enough_gets_the_answer_itself(tenant: Tenant, step: str) -> None:
    answer = await tenant.create_pipeline("churn", step, Prefer="wait=30")

    assert (answer.status_code, answer.json()["pipeline_name"]) == (201, "churn")


async def test_a_wait_lasts_as_long_as_it_was_asked_for(tenant: Tenant, step: str, stack: Stack) -> None:
    with stack.paused("composer"):
        began = time.monotonic()
        answer = await tenant.create_pipeline("churn", step, Prefer="wait=1")
        waited_s = time.monotonic() - began

    assert answer.status_code == 202
    assert waited_s >= 1


@pytest.mark.parametrize("prefer", ["wait=soon", "wait=-1", "wait=1.5", "wait"])
async def test_a_wait_that_is_no_number_is_refused(tenant: Tenant, step: str, prefer: str) -> None:
    problem(await tenant.create_pipeline("churn", step, Prefer=prefer), 400, "invalid_header")

    assert await tenant.names("/pipelines", "pipeline_name") == []


async def test_a_success_is_told_with_the_data_of_the_result(tenant: Tenant, step: str) -> None:
    answer = await tenant.create_pipeline("churn", step)
    command_id = answer.headers["pipeloom-command-id"]

    body = (await told(tenant, command_id)).json()

    assert body["result"]["pipeline"]["pipeline_name"] == "churn"
    assert {key: body[key] for key in ("command_id", "status", "type", "subject")} == {
        "command_id": command_id,
        "status": "succeeded",
        "type": "PipelineCreated",
        "subject": "pipelines/churn",
    }


async def test_a_refusal_stays_readable(tenant: Tenant) -> None:
    refused = await tenant.create_pipeline("churn", "absent", Prefer="wait=30")
    command_id = problem(refused, 404, "step_not_found")["additional_data"]["command_id"]

    for _ in range(2):
        answer = await told(tenant, command_id)
        assert (answer.status_code, answer.json()["status"]) == (200, "rejected")
        assert answer.json()["command_type"] == "PipelineRequested"
        assert answer.json()["refusal"] == {
            "code": "step_not_found",
            "message": refused.json()["message"],
            "details": {"step_name": "absent"},
        }


async def test_a_long_poll_is_released_by_the_result_of_a_command_that_comes_by_kafka(
    tenant: Tenant, step: str, stack: Stack
) -> None:
    command_id = uuid4()
    with stack.paused("composer"):
        await tenant.ask(PipelineRequested(pipeline_name="churn", step_names=[step]), id=command_id)
        polling = asyncio.create_task(told(tenant, command_id, wait_s=30))
        assert (await told(tenant, command_id, wait_s=0)).status_code == 202
    began = time.monotonic()

    answer = await polling

    assert (answer.status_code, answer.json()["status"]) == (200, "succeeded")
    assert time.monotonic() - began < 15


async def test_an_id_that_nobody_used_is_unknown_until_the_wait_is_over(tenant: Tenant) -> None:
    began = time.monotonic()
    answer = await told(tenant, uuid4(), wait_s=1)

    assert (answer.status_code, answer.json()["status"]) == (202, "unknown")
    assert answer.headers["retry-after"]
    assert time.monotonic() - began >= 1


async def test_a_command_of_another_environment_is_unknown(new_tenant: NewTenant, tenant: Tenant, step: str) -> None:
    answer = await tenant.create_pipeline("churn", step)
    stranger = await new_tenant()

    seen = await told(stranger, answer.headers["pipeloom-command-id"], wait_s=0)

    assert (seen.status_code, seen.json()["status"]) == (202, "unknown")


@pytest.mark.parametrize("address", ["/commands/churn", f"/commands/{ANY_ID}?wait=61", f"/commands/{ANY_ID}?wait=-1"])
async def test_a_question_that_makes_no_sense_is_refused(tenant: Tenant, address: str) -> None:
    problem(await tenant.http.get(address), 422, "invalid_parameter")

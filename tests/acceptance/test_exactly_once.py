"""One command, one effect, one result: whoever repeats it, how often, and by which door."""

import asyncio
from collections import Counter
from uuid import UUID, uuid4

import pytest
from aiokafka import ConsumerRecord

from events.commands import CommandData, PipelineDeleteRequested, PipelineRequested
from tests.acceptance.feed import data_of, name_of, text
from tests.acceptance.problems import problem
from tests.acceptance.tenant import NewTenant, Tenant

KEY = "Idempotency-Key"


def pipeline_requested(name: str, step: str = "train") -> PipelineRequested:
    return PipelineRequested(pipeline_name=name, step_names=[step])


async def created(tenant: Tenant) -> list[str]:
    """Return which pipelines were ever created, in order."""
    events = await tenant.history()
    return [data_of(each)["pipeline"]["pipeline_name"] for each in events if name_of(each) == "PipelineCreated"]


async def results(tenant: Tenant, command_id: UUID) -> list[ConsumerRecord]:
    """Return all results of a command: those before the result of one more command."""
    return [each for each in await tenant.history() if text(each, "ce_commandid") == str(command_id)]


async def test_a_request_again_with_the_same_key_gets_the_first_answer_again(tenant: Tenant, step: str) -> None:
    first = await tenant.create_pipeline("churn", step, **{KEY: "k"})
    second = await tenant.create_pipeline("churn", step, **{KEY: "k"})

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content
    headers = ("location", "etag", "pipeloom-command-id")
    assert [first.headers[name] for name in headers] == [second.headers[name] for name in headers]
    assert await created(tenant) == ["churn"]


async def test_requests_at_once_with_the_same_key_get_the_same_answer(tenant: Tenant, step: str) -> None:
    answers = await asyncio.gather(*(tenant.create_pipeline("churn", step, **{KEY: "k"}) for _ in range(10)))

    assert {(answer.status_code, answer.content) for answer in answers} == {(201, answers[0].content)}
    assert await created(tenant) == ["churn"]


async def test_a_refusal_is_given_again_even_when_it_would_succeed_by_now(tenant: Tenant) -> None:
    first = await tenant.create_pipeline("churn", "train", **{KEY: "k"})
    await tenant.create_step("train")
    second = await tenant.create_pipeline("churn", "train", **{KEY: "k"})
    with_a_new_key = await tenant.create_pipeline("churn", "train", **{KEY: "k2"})

    told = [problem(each, 404, "step_not_found") for each in (first, second)]
    assert told[0]["additional_data"] == told[1]["additional_data"]
    assert with_a_new_key.status_code == 201


async def test_a_deletion_again_with_the_same_key_gets_the_first_answer_again(tenant: Tenant, pipeline: str) -> None:
    answers = [await tenant.http.delete(f"/pipelines/{pipeline}", headers={KEY: "k"}) for _ in range(2)]

    assert [(each.status_code, each.json()) for each in answers] == [
        (200, {"pipeline": {"name": pipeline}, "deployments": []})
    ] * 2
    problem(await tenant.http.delete(f"/pipelines/{pipeline}"), 404, "pipeline_not_found")


async def test_an_endpoint_again_with_the_same_key_has_the_same_token(tenant: Tenant, pipeline: str) -> None:
    body = {"name": "live", "pipeline_name": pipeline}

    answers = [await tenant.http.post("/endpoints", json=body, headers={KEY: "k"}) for _ in range(2)]

    assert [each.status_code for each in answers] == [201, 201]
    assert answers[0].json()["endpoint_token"] == answers[1].json()["endpoint_token"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/pipelines", {"pipeline_name": "other", "step_names": ["train"]}),
        ("POST", "/endpoints", {"name": "live", "pipeline_name": "churn"}),
        ("DELETE", "/pipelines/churn", None),
    ],
)
async def test_the_same_key_with_another_request_is_refused_and_has_no_effect(
    tenant: Tenant, step: str, method: str, path: str, body: dict[str, object] | None
) -> None:
    await tenant.create_pipeline("churn", step, **{KEY: "k"})

    answer = await tenant.http.request(method, path, json=body, headers={KEY: "k"})

    problem(answer, 422, "command_id_reused")
    assert await tenant.names("/pipelines", "pipeline_name") == ["churn"]
    assert await tenant.names("/deployments", "name") == []


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb"])
async def test_a_key_that_cannot_be_one_is_refused(tenant: Tenant, step: str, key: str) -> None:
    problem(await tenant.create_pipeline("churn", step, **{KEY: key}), 400, "invalid_header")

    assert await tenant.names("/pipelines", "pipeline_name") == []


async def test_a_key_is_its_users_own(new_tenant: NewTenant, tenant: Tenant, step: str) -> None:
    colleague = await new_tenant(tenant.environment)
    stranger = await new_tenant()
    await stranger.create_step(step)

    answers = [await each.create_pipeline("churn", step, **{KEY: "k"}) for each in (tenant, colleague, stranger)]

    problem(answers[1], 409, "pipeline_exists")
    assert [answers[0].status_code, answers[2].status_code] == [201, 201]
    assert len({each.headers["pipeloom-command-id"] for each in answers}) == 3


@pytest.mark.usefixtures("step")
async def test_the_same_record_twice_has_one_result(tenant: Tenant) -> None:
    command_id = uuid4()

    for _ in range(2):
        await tenant.ask(pipeline_requested("churn"), id=command_id)

    assert [name_of(each) for each in await results(tenant, command_id)] == ["PipelineCreated"]


async def test_a_request_again_by_kafka_has_one_result(tenant: Tenant, step: str) -> None:
    answer = await tenant.create_pipeline("churn", step)
    command_id = UUID(answer.headers["pipeloom-command-id"])

    await tenant.ask(pipeline_requested("churn"), id=command_id)

    assert [name_of(each) for each in await results(tenant, command_id)] == ["PipelineCreated"]


@pytest.mark.parametrize("again", [pipeline_requested("other"), PipelineDeleteRequested(pipeline_name="churn")])
async def test_a_command_id_again_with_another_body_has_no_effect_and_no_second_result(
    tenant: Tenant, step: str, again: CommandData
) -> None:
    answer = await tenant.create_pipeline("churn", step)
    command_id = UUID(answer.headers["pipeloom-command-id"])

    await tenant.ask(again, id=command_id)

    assert [name_of(each) for each in await results(tenant, command_id)] == ["PipelineCreated"]
    assert await tenant.names("/pipelines", "pipeline_name") == ["churn"]


@pytest.mark.usefixtures("step")
async def test_many_commands_with_repeats_and_refusals_have_one_result_each_in_an_order_without_gaps(
    tenant: Tenant,
) -> None:
    names = [f"p{number % 50:02}" for number in range(200)]
    good = await tenant.ask(*map(pipeline_requested, names))
    await asyncio.gather(
        *(tenant.ask(pipeline_requested(name), id=each) for name, each in zip(names, good, strict=True))
    )
    bad = await tenant.ask(*(pipeline_requested(f"q{number}", step="absent") for number in range(50)))

    events = await tenant.history()

    told = Counter(text(each, "ce_commandid") for each in events if text(each, "ce_result") == "true")
    assert {told[str(each)] for each in (*good, *bad)} == {1}
    assert [text(each, "ce_sequence") for each in events] == [str(place + 1) for place in range(len(events))]
    assert len({text(each, "ce_id") for each in events}) == len(events)
    assert await created(tenant) == sorted(set(names))

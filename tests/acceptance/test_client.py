"""What our own clients do beyond the page's four functions, the one that waits and the one for asyncio."""

from typing import Any
from uuid import uuid4

import pytest

from pipeloom.client import (
    AsyncClient,
    Client,
    Conflict,
    Invalid,
    NotFound,
    Refused,
    Unauthenticated,
    documents,
    writes,
)
from tests.acceptance.clients import CLIENTS, Ask, asking, close
from tests.acceptance.doors import in_thread
from tests.acceptance.stack import Stack
from tests.acceptance.tenant import ALL_MAPPED, Tenant


async def test_create_step_returns_the_step_once_it_is_ready(ask: Ask, tenant: Tenant) -> None:
    step = await ask("create_step", **tenant.step_body("train"))

    assert step["creation_info"]["status"] == "Ready"
    assert step == await ask("get_step", "train")
    assert [each["step_name"] for each in await ask("list_steps")] == ["train"]


async def test_a_step_that_cannot_be_built_is_refused_with_what_to_mend(ask: Ask, tenant: Tenant) -> None:
    with pytest.raises(Refused, match="does not define a function 'absent'") as refused:
        await ask("create_step", **tenant.step_body("train", function_name="absent"))

    assert refused.value.code == "step_failed"


async def test_deployments_of_both_rules_are_created_read_and_deleted(ask: Ask, pipeline: str) -> None:
    live = await ask("create_deployment", pipeline, "live", "endpoint")
    nightly = await ask("create_deployment", pipeline, "nightly", "periodic", schedule="0 3 * * *", **ALL_MAPPED)

    assert live["endpoint_token"]
    assert nightly == await ask("get_deployment", "nightly")
    assert [each["name"] for each in await ask("list_deployments")] == ["live", "nightly"]
    assert await ask("delete_deployment", "live") == {"name": "live", "execution_rule": "endpoint"}
    assert await ask("get_deployment", "live") is None


@pytest.mark.parametrize("name", ["my pipeline", "a+b&c=d;e", "..a", "日本", "\"q'\\", "é" * 255])
async def test_a_name_is_found_again_whatever_it_is_made_of(ask: Ask, step: str, name: str) -> None:
    await ask("create_pipeline", name, step)

    assert (await ask("get_pipeline", name))["pipeline_name"] == name
    assert (await ask("delete_pipeline", name))["pipeline"] == {"name": name}


async def test_a_call_again_with_the_same_key_takes_effect_once(ask: Ask, tenant: Tenant, step: str) -> None:
    key = str(uuid4())

    first = await ask("create_pipeline", "churn", step, idempotency_key=key)
    second = await ask("create_pipeline", "churn", step, idempotency_key=key)

    assert first == second
    assert await tenant.names("/pipelines", "pipeline_name") == ["churn"]


async def test_what_became_of_a_command_can_be_asked(ask: Ask, tenant: Tenant, step: str) -> None:
    answer = await tenant.create_pipeline("churn", step, Prefer="respond-async")

    told = await ask("get_command", answer.headers["pipeloom-command-id"], wait_s=20)

    assert (told["status"], told["type"]) == ("succeeded", "PipelineCreated")


async def test_a_write_can_be_submitted_without_waiting(ask: Ask, tenant: Tenant, step: str) -> None:
    command_id = await ask("submit", writes.create_pipeline("churn", step))

    told = await ask("get_command", command_id, wait_s=20)

    assert told["status"] == "succeeded"
    assert await tenant.names("/pipelines", "pipeline_name") == ["churn"]


@pytest.mark.parametrize("client_class", CLIENTS)
async def test_pages_hold_everything_once(
    stack: Stack, tenant: Tenant, step: str, client_class: type[Client | AsyncClient]
) -> None:
    names = ["a&b=c", "d", "é", "日本", "🎉"]
    for name in names:
        assert (await tenant.create_pipeline(name, step)).status_code == 201
    client = client_class(stack.url, tenant.member.sdk_token)

    if isinstance(client, AsyncClient):
        found = [row["pipeline_name"] async for row in client.iter_pipelines(page_size=2)]
    else:
        found = [row["pipeline_name"] for row in await in_thread(list, client.iter_pipelines(page_size=2))]

    assert found == names
    await close(client)


@pytest.mark.parametrize(
    ("method", "shape"),
    [
        ("get_step", documents.Step),
        ("list_steps", documents.StepSummary),
        ("get_pipeline", documents.Pipeline),
        ("list_pipelines", documents.PipelineSummary),
        ("get_deployment", documents.Deployment),
        ("list_deployments", documents.DeploymentSummary),
        ("who_am_i", documents.User),
    ],
)
async def test_an_answer_has_the_keys_that_its_type_promises(
    ask: Ask, tenant: Tenant, pipeline: str, method: str, shape: Any
) -> None:
    assert (await tenant.create_endpoint("live", pipeline)).status_code == 201
    names = {"get_step": ["train"], "get_pipeline": [pipeline], "get_deployment": ["live"]}

    answer = await ask(method, *names.get(method, []))

    document = answer[0] if isinstance(answer, list) else answer
    assert shape.__required_keys__ - document.keys() == set()


async def test_a_user_of_the_environment_is_found(ask: Ask) -> None:
    me = await ask("who_am_i")
    assert await ask("get_user", me["id"]) == me


@pytest.mark.parametrize(
    ("kind", "method", "arguments"),
    [
        (NotFound, "create_pipeline", ("new", "absent")),
        (NotFound, "delete_step", ("absent",)),
        (Conflict, "create_pipeline", ("churn", "train")),
        (Conflict, "delete_step", ("train",)),
        (Invalid, "create_pipeline", ("?", "train")),
        (Invalid, "create_deployment", ("churn", "live", "periodic", "elastic", "every day")),
    ],
)
@pytest.mark.usefixtures("pipeline")
async def test_a_refusal_is_of_a_kind_that_can_be_caught(
    ask: Ask, kind: type[Refused], method: str, arguments: tuple[str, ...]
) -> None:
    with pytest.raises(kind):
        await ask(method, *arguments)


@pytest.mark.parametrize("client_class", CLIENTS)
async def test_an_unknown_token_is_refused(stack: Stack, client_class: type[Client | AsyncClient]) -> None:
    client = client_class(stack.url, "no-token-of-anybody")

    with pytest.raises(Unauthenticated):
        await asking(client)("list_pipelines")

    await close(client)

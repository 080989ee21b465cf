"""Deployments and variables by our own clients: options, tokens, schedules, logs, secrets."""

from typing import Any

import pytest

from pipeloom.client import (
    DeploymentNotFound,
    DuplicateMapping,
    EnvironmentVariableNotFound,
    InvalidMapping,
    InvalidName,
    InvalidOption,
    MissingMapping,
    PipelineNotFound,
    Refused,
    UnknownMapping,
    WrongExecutionRule,
    documents,
)
from tests.acceptance.clients import Ask
from tests.acceptance.tenant import ALL_MAPPED

OPTIONS: dict[str, Any] = {
    "enable_parallel_executions": True,
    "max_parallel_executions_per_pod": 4,
    "ram_request": "512MiB",
    "gpu_request": 1,
}


async def test_a_deployment_keeps_its_options(ask: Ask, pipeline: str) -> None:
    await ask("create_deployment", pipeline, "live", "endpoint", "low_latency", description="Live", **OPTIONS)

    live = await ask("get_deployment", "live")

    assert OPTIONS.items() <= live.items()
    assert (live["mode"], live["description"], live["pods"]) == ("low_latency", "Live", [])
    assert live.keys() >= documents.Deployment.__required_keys__


async def test_a_new_token_is_told_once_and_is_another_one(ask: Ask, pipeline: str) -> None:
    live = await ask("create_deployment", pipeline, "live", "endpoint")

    renewed = await ask("generate_new_endpoint_token", "live", idempotency_key="once")
    repeated = await ask("generate_new_endpoint_token", "live", idempotency_key="once")

    assert renewed.keys() == documents.EndpointToken.__required_keys__
    assert renewed == repeated
    assert renewed["endpoint_token"] != live["endpoint_token"]
    assert "endpoint_token" not in await ask("get_deployment", "live")


async def test_a_schedule_tells_when_it_comes_due(ask: Ask, pipeline: str) -> None:
    await ask("create_deployment", pipeline, "nightly", "periodic", schedule="0 3 * * *", **ALL_MAPPED)

    told = await ask("get_deployment_schedule", "nightly")

    assert told.keys() == documents.Schedule.__required_keys__
    assert [moment[10:19] for moment in told["next_times"]] == ["T03:00:00"] * 3


async def test_logs_of_pipelines_and_deployments_are_read(ask: Ask, pipeline: str) -> None:
    await ask("create_deployment", pipeline, "live", "endpoint")
    (created,) = await ask("get_pipeline_logs", pipeline)
    assert created.keys() == documents.LogLine.__required_keys__
    assert await ask("get_deployment_logs", "live", limit=10) == []


def mapped(*inputs: dict[str, Any]) -> dict[str, Any]:
    return {"inputs_mapping": [{"pipeline_input_name": "months", **each} for each in inputs]}


PERIODIC = {"execution_rule": "periodic", "schedule": "0 3 * * *"}


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (UnknownMapping, {"inputs_mapping": [{"pipeline_input_name": "years", "constant_value": 1}]}),
        (DuplicateMapping, mapped({"constant_value": 1}, {"constant_value": 2})),
        (MissingMapping, PERIODIC),
        (InvalidMapping, mapped({"constant_value": "three"})),
        (InvalidOption, {"ram_request": "1GiB"}),
    ],
)
async def test_a_deployment_that_does_not_fit_is_refused_by_its_class(
    ask: Ask, pipeline: str, kind: type[Refused], options: dict[str, Any]
) -> None:
    with pytest.raises(kind):
        await ask("create_deployment", pipeline, "live", **{"execution_rule": "endpoint", **options})


@pytest.mark.parametrize("method", ["generate_new_endpoint_token", "get_deployment_schedule"])
async def test_what_a_rule_does_not_have_is_refused_by_its_class(ask: Ask, pipeline: str, method: str) -> None:
    await ask("create_deployment", pipeline, "live", "endpoint")
    await ask("create_deployment", pipeline, "nightly", "periodic", schedule="0 3 * * *", **ALL_MAPPED)
    with pytest.raises(WrongExecutionRule):
        await ask(method, "live" if method == "get_deployment_schedule" else "nightly")


@pytest.mark.parametrize(
    ("method", "kind"),
    [
        ("generate_new_endpoint_token", DeploymentNotFound),
        ("get_deployment_schedule", DeploymentNotFound),
        ("get_deployment_logs", DeploymentNotFound),
        ("get_pipeline_logs", PipelineNotFound),
        ("delete_environment_variable", EnvironmentVariableNotFound),
    ],
)
async def test_what_does_not_exist_is_refused_by_its_class(ask: Ask, method: str, kind: type[Refused]) -> None:
    with pytest.raises(kind):
        await ask(method, "absent")


async def test_variables_are_set_changed_listed_and_deleted(ask: Ask) -> None:
    await ask("create_or_update_environment_variables", {"REGION": "eu", "API_KEY": "s3cret\n日本"})
    await ask("create_or_update_environment_variable", "REGION", "us")

    assert await ask("list_environment_variables") == [
        {"name": "API_KEY", "value": "s3cret\n日本"},
        {"name": "REGION", "value": "us"},
    ]
    assert await ask("delete_environment_variable", "REGION") == {"name": "REGION", "value": "us"}
    assert [each["name"] for each in await ask("list_environment_variables")] == ["API_KEY"]


async def test_of_variables_that_go_together_none_is_set_when_one_cannot_be(ask: Ask) -> None:
    with pytest.raises(InvalidName):
        await ask("create_or_update_environment_variables", {"GOOD": "1", "not-good": "2"})
    assert await ask("list_environment_variables") == []

"""A producer that knows nothing but the topic, and a consumer that knows nothing but the other one."""

import json
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import pytest
from jsonschema import Draft202012Validator

from events.commands import (
    DeploymentDeleteRequested,
    DeploymentRequested,
    PipelineDeleteRequested,
    PipelineRequested,
    StepDeleteRequested,
    StepRequested,
)
from tests.acceptance.feed import data_of, name_of, text
from tests.acceptance.stack import Stack
from tests.acceptance.tenant import ALL_MAPPED, Tenant

TIME = "2026-01-31T12:00:00.000Z"
HTTP_SOURCE = "/pipeloom/http"


def headers(tenant: Tenant, command_id: UUID, command_type: str) -> list[tuple[str, bytes]]:
    """Return what the command's documentation asks of a producer, written by hand."""
    written = {
        "content-type": "application/json",
        "ce_specversion": "1.0",
        "ce_id": str(command_id),
        "ce_type": f"pipeloom.{command_type}.v1",
        "ce_source": "/night-batch",
        "ce_subject": "pipelines/churn",
        "ce_time": TIME,
        "ce_environment": tenant.environment,
        "ce_actor": "night-batch",
        "ce_traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    }
    return [(name, value.encode()) for name, value in written.items()]


def pipeline_requested(name: str = "churn") -> PipelineRequested:
    return PipelineRequested(pipeline_name=name, step_names=["train"])


async def test_a_plain_consumer_reads_the_result_of_a_plain_record_with_every_header(tenant: Tenant, step: str) -> None:
    command_id = uuid4()
    body = json.dumps({"step_names": [step], "pipeline_name": "churn"}).encode()

    record = await tenant.put(body, headers(tenant, command_id, "PipelineRequested"))
    result = await tenant.result(command_id)

    before = (await tenant.history())[:-1]
    assert {name: value.decode() for name, value in result.headers} == {
        "content-type": "application/json",
        "ce_specversion": "1.0",
        "ce_id": f"{command_id}.0",
        "ce_type": "pipeloom.PipelineCreated.v1",
        "ce_dataschema": "pipeloom:/schemas/events/PipelineCreated.v1.json",
        "ce_source": f"/pipeloom/environments/{tenant.environment}",
        "ce_subject": "pipelines/churn",
        "ce_time": TIME,
        "ce_environment": tenant.environment,
        "ce_actor": "night-batch",
        "ce_commandid": str(command_id),
        "ce_commandsource": "/night-batch",
        "ce_sequence": str(len(before) + 1),
        "ce_position": f"{record.offset}.0",
        "ce_result": "true",
        "ce_traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    }
    assert (result.key, result.partition) == (tenant.environment.encode(), record.partition)


async def test_a_pipeline_by_kafka_is_the_same_as_one_by_http(tenant: Tenant, step: str) -> None:
    (command_id,) = await tenant.ask(pipeline_requested("by-kafka"), actor="ada", time=TIME)
    by_kafka = await tenant.result(command_id)
    answer = await tenant.create_pipeline("by-http", step)
    by_http = await tenant.result(UUID(answer.headers["pipeloom-command-id"]))

    documents = [(await tenant.http.get(f"/pipelines/{name}")).json() for name in ("by-kafka", "by-http")]

    assert (documents[0]["created_by"], documents[0]["created_at"]) == ("ada", TIME)
    assert _without_who_and_when(documents[0], "by-kafka") == _without_who_and_when(documents[1], "by-http")
    results = [(name_of(by_kafka), data_of(by_kafka)["pipeline"]), (name_of(by_http), data_of(by_http)["pipeline"])]
    assert [name for name, _ in results] == ["PipelineCreated", "PipelineCreated"]
    assert _without_who_and_when(results[0][1], "by-kafka") == _without_who_and_when(results[1][1], "by-http")
    assert (text(by_kafka, "ce_commandsource"), text(by_http, "ce_commandsource")) == ("/tests", HTTP_SOURCE)


async def test_a_forced_deletion_by_kafka_tells_each_change_and_then_the_result(tenant: Tenant, pipeline: str) -> None:
    await tenant.create_endpoint("live", pipeline)
    await tenant.schedule("nightly", pipeline, "0 3 * * *")

    (command_id,) = await tenant.ask(PipelineDeleteRequested(pipeline_name=pipeline, force_deployments_deletion=True))

    result = await tenant.result(command_id)
    gone = [
        {"name": "live", "execution_rule": "endpoint"},
        {"name": "nightly", "execution_rule": "periodic"},
    ]
    assert data_of(result)["deployments"] == gone
    events = (await tenant.history())[-3:]
    assert [(name_of(event), text(event, "ce_subject"), text(event, "ce_result")) for event in events] == [
        ("DeploymentDeleted", "deployments/live", "false"),
        ("DeploymentDeleted", "deployments/nightly", "false"),
        ("PipelineDeleted", f"pipelines/{pipeline}", "true"),
    ]
    assert {text(event, "ce_commandid") for event in events} == {str(command_id)}
    assert (await tenant.http.get(f"/pipelines/{pipeline}")).status_code == 404
    assert await tenant.names("/deployments", "name") == []


async def test_a_refusal_by_kafka_says_the_same_as_the_one_by_http(tenant: Tenant, pipeline: str) -> None:
    await tenant.create_endpoint("live", pipeline)

    (command_id,) = await tenant.ask(PipelineDeleteRequested(pipeline_name=pipeline))
    by_http = (await tenant.http.delete(f"/pipelines/{pipeline}")).json()

    result = await tenant.result(command_id)
    refusal = data_of(result)
    assert name_of(result) == "CommandRejected"
    assert (refusal["command_type"], refusal["command_subject"]) == ("PipelineDeleteRequested", f"pipelines/{pipeline}")
    assert (refusal["code"], refusal["message"]) == (by_http["name"], by_http["message"])
    assert refusal["details"] == {"pipeline_name": pipeline, "deployments": ["live"]}


async def test_a_pipeline_is_refused_while_its_step_is_pending(tenant: Tenant) -> None:
    step, pipeline = await tenant.ask(StepRequested(**tenant.step_body("train")), pipeline_requested())

    refusal = data_of(await tenant.result(pipeline))

    assert name_of(await tenant.result(step)) == "StepCreated"
    assert refusal["code"] == "step_not_ready"
    assert refusal["details"] == {"step_name": "train", "status": "Pending"}


async def test_steps_and_deployments_are_commanded_by_kafka_too(tenant: Tenant) -> None:
    (asked,) = await tenant.ask(StepRequested(**tenant.step_body("train")))
    await tenant.result(asked)
    built = await tenant.http.get("/steps/train", params={"wait_for_completion": True})
    assert built.json()["creation_info"]["status"] == "Ready"

    commands = await tenant.ask(
        pipeline_requested(),
        DeploymentRequested(name="live", pipeline_name="churn", execution_rule="endpoint"),
        DeploymentRequested.model_validate(
            {"name": "nightly", "pipeline_name": "churn", "execution_rule": "periodic", "schedule": "0 3 * * *"}
            | ALL_MAPPED
        ),
        DeploymentDeleteRequested(name="live"),
        StepDeleteRequested(step_name="train", force_dependents_deletion=True),
    )

    assert [name_of(await tenant.result(each)) for each in commands] == [
        "PipelineCreated",
        "DeploymentCreated",
        "DeploymentCreated",
        "DeploymentDeleted",
        "StepDeleted",
    ]
    assert data_of(await tenant.result(commands[-1]))["pipelines"] == ["churn"]
    assert await tenant.names("/steps", "step_name") == []


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
async def test_a_producer_may_compress(tenant: Tenant, step: str, codec: str) -> None:
    command_id = uuid4()
    body = json.dumps({"pipeline_name": "churn", "step_names": [step], "padding": "x" * 4096}).encode()

    async with tenant.kafka.compressing_producer(codec) as producer:
        await producer.send_and_wait(
            tenant.kafka.log.commands_topic,
            body,
            key=tenant.environment.encode(),
            headers=headers(tenant, command_id, "PipelineRequested"),
        )

    assert name_of(await tenant.result(command_id)) == "PipelineCreated"


async def test_a_consumer_that_knows_only_the_api_checks_each_record_against_the_schema_that_it_names(
    tenant: Tenant, stack: Stack, pipeline: str
) -> None:
    await tenant.ask(PipelineDeleteRequested(pipeline_name=pipeline), DeploymentDeleteRequested(name="nothing"))
    history = await tenant.history()
    assert {name_of(event) for event in history} >= {"StepCreated", "StepReady", "PipelineCreated", "CommandRejected"}

    described = (await tenant.http.get(f"{stack.url}/asyncapi.json")).json()["components"]["messages"]

    for event in history:
        uri = text(event, "ce_dataschema")
        schema = (await tenant.http.get(stack.url + urlsplit(uri).path)).json()
        assert schema["$id"] == uri
        assert Draft202012Validator(schema).is_valid(data_of(event))
        assert set(described[f"{name_of(event)}.v1"]["examples"][0]["headers"]) >= {name for name, _ in event.headers}


def _without_who_and_when(document: dict[str, Any], name: str) -> dict[str, Any]:
    assert document["pipeline_name"] == name
    return {key: document[key] for key in document.keys() - {"pipeline_name", "created_at", "created_by"}}

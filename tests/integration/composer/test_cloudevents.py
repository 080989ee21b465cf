"""The official cloudevents package reads what we write to Kafka, and what it writes is a command."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import ConsumerRecord
from cloudevents.core.base import BaseCloudEvent
from cloudevents.core.bindings.kafka import (
    KafkaMessage,
    from_kafka_event,
    to_binary_event,
    to_structured_event,
)
from cloudevents.core.v1.event import CloudEvent

from events.commands import PipelineRequested, StepBuildReported, StepRequested
from services.composer.service import run_composer
from services.kit.settings import Settings
from services.relay.service import run_relay
from tests.support.installation import Log, command, new_member
from tests.support.services import running_service

Written = Callable[[BaseCloudEvent], KafkaMessage]


def as_read(record: ConsumerRecord) -> BaseCloudEvent:
    """Return a record as the official package understands it."""
    return from_kafka_event(KafkaMessage(headers=dict(record.headers), key=record.key, value=record.value))


def asked_for(environment: str, **attributes: Any) -> CloudEvent:
    """Return a command as somebody writes it who knows the official package and our guide."""
    known = {
        "type": "pipeloom.StepRequested.v1",
        "source": "/night-batch",
        "id": str(uuid4()),
        "time": datetime.now(UTC),
        "datacontenttype": "application/json",
        "environment": environment,
        "partitionkey": environment,
        "actor": "night-batch",
    }
    return CloudEvent(known | attributes, {"step_name": "s", "function_path": "a.py", "function_name": "f"})


async def send(log: Log, message: KafkaMessage) -> None:
    key = message.key.encode() if isinstance(message.key, str) else message.key
    await log.put(key, message.value, list(message.headers.items()))


async def test_the_official_package_reads_our_commands_and_our_results(installation: Settings, log: Log) -> None:
    # Given
    environment = (await new_member(installation.postgres)).environment
    traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    step = command(environment, StepRequested(step_name="s", function_path="a.py", function_name="f"))
    ready = command(environment, StepBuildReported(step_name="s", requested_by=str(step.id), outcome="ready"))
    asked = command(environment, PipelineRequested(pipeline_name="é", step_names=["s"]), traceparent=traceparent)
    # When
    async with running_service(run_composer, installation), running_service(run_relay, installation):
        await log.ask(step, ready, asked)
        results = [as_read(record) for record in await log.records(log.events_topic, 3)]
    commands = [as_read(record) for record in await log.records(log.commands_topic, 3)]
    # Then
    sent, result = commands[-1], results[-1]
    assert (sent.get_id(), sent.get_type()) == (str(asked.id), "pipeloom.PipelineRequested.v1")
    assert sent.get_dataschema() == "pipeloom:/schemas/commands/PipelineRequested.v1.json"
    assert sent.get_data() == {"pipeline_name": "é", "step_names": ["s"], "connections": []}
    assert (result.get_specversion(), result.get_id()) == ("1.0", f"{asked.id}.0")
    assert (result.get_type(), result.get_subject()) == ("pipeloom.PipelineCreated.v1", "pipelines/é")
    assert result.get_source() == f"/pipeloom/environments/{environment}"
    assert (result.get_datacontenttype(), result.get_dataschema()) == (
        "application/json",
        "pipeloom:/schemas/events/PipelineCreated.v1.json",
    )
    assert result.get_time() == datetime.fromisoformat(asked.time)
    extensions = ("environment", "partitionkey", "commandid", "sequence", "result", "traceparent")
    assert [result.get_extension(name) for name in extensions] == [
        environment,
        environment,
        str(asked.id),
        "3",
        "true",
        traceparent,
    ]
    data = result.get_data()
    assert isinstance(data, dict)
    assert data["pipeline"]["pipeline_name"] == "é"


@pytest.mark.parametrize("written", [to_binary_event, to_structured_event], ids=["binary", "structured"])
async def test_a_command_that_the_official_package_writes_takes_effect(
    installation: Settings, log: Log, written: Written
) -> None:
    # Given
    environment = (await new_member(installation.postgres)).environment
    asked = asked_for(environment)
    # When
    async with running_service(run_composer, installation), running_service(run_relay, installation):
        await send(log, written(asked))
        (result,) = await log.events(1)
    # Then
    assert (result.type, result.subject, str(result.command_id)) == ("StepCreated", "steps/s", asked.get_id())
    assert (result.actor, result.command_source, result.sequence) == ("night-batch", "/night-batch", 1)


async def test_a_structured_command_that_is_wrong_is_refused_by_its_id_and_the_same_one_right_is_a_repeat(
    installation: Settings, log: Log
) -> None:
    # Given
    environment = (await new_member(installation.postgres)).environment
    wrong, right = asked_for(environment, type="pipeloom.StepWanted.v1"), asked_for(environment)
    # When
    async with running_service(run_composer, installation), running_service(run_relay, installation):
        await send(log, to_structured_event(wrong))
        await send(log, to_structured_event(right))
        await send(log, to_binary_event(right))
        await send(log, to_structured_event(asked_for(environment)))
        refused, created, exists = await log.events(3)
    # Then
    assert (str(refused.command_id), json.loads(refused.data)["code"]) == (wrong.get_id(), "unknown_type")
    assert (str(created.command_id), created.type) == (right.get_id(), "StepCreated")
    assert (exists.sequence, json.loads(exists.data)["code"]) == (3, "step_exists")

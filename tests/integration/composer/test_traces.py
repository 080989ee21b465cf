"""The spans of composer and relay: each command's in its own trace, the batches' linked to all of them."""

import json
from pathlib import Path
from typing import Any

from events.commands import PipelineRequested, StepRequested
from events.envelope import Command
from services.composer.service import run_composer
from services.kit.settings import Settings, TracingSettings
from services.kit.tracing import tracing
from services.relay.service import run_relay
from tests.support.installation import Log, command, new_member
from tests.support.services import running_service

Span = dict[str, Any]

STEP = StepRequested(step_name="s", function_path="a.py", function_name="f")
PIPELINE = PipelineRequested(pipeline_name="p", step_names=["s"])
TRACES = ["a" * 32, "b" * 32]


def traceparent(trace_id: str) -> str:
    return f"00-{trace_id}-00f067aa0ba902b7-01"


def commands_of(environment: str) -> list[Command]:
    """Return one that is accepted, one that is refused, one that is in no trace, and one that says nonsense of it."""
    pipeline, odd, more = (
        PIPELINE,
        STEP.model_copy(update={"step_name": "t"}),
        STEP.model_copy(update={"step_name": "u"}),
    )
    return [
        command(environment, STEP, traceparent=traceparent(TRACES[0])),
        command(environment, pipeline, traceparent=traceparent(TRACES[1])),
        command(environment, odd),
        command(environment, more, traceparent="00-trace"),
    ]


async def test_a_batch_is_linked_to_its_commands_and_each_command_is_told_of_in_its_own_trace(
    installation: Settings, log: Log, tmp_path: Path
) -> None:
    # Given
    environment = (await new_member(installation.postgres)).environment
    asked = commands_of(environment)
    await log.ask(*asked)
    # When
    with tracing(TracingSettings(exporter="file", file=tmp_path / "traces"), "test"):
        async with running_service(run_composer, installation), running_service(run_relay, installation):
            events = await log.events(len(asked))
    # Then
    assert sorted(event.traceparent or "" for event in events) == sorted(each.traceparent or "" for each in asked)
    spans: list[Span] = [json.loads(line) for line in (tmp_path / "traces").read_text().splitlines()]
    in_traces = [span for span in spans if span["trace_id"] in TRACES]
    assert sorted((span["trace_id"][0], span["name"]) for span in in_traces) == [
        ("a", "decide StepRequested"),
        ("a", f"publish {log.events_topic}"),
        ("a", "save"),
        ("b", "decide PipelineRequested"),
        ("b", f"publish {log.events_topic}"),
        ("b", "save"),
    ]
    results = {span["trace_id"][0]: span["attributes"] for span in in_traces if span["name"].startswith("decide")}
    assert results["a"]["pipeloom.result"] == "StepCreated"
    assert (results["b"]["pipeloom.result"], results["b"]["pipeloom.refusal"]) == ("CommandRejected", "step_not_ready")
    for name in ("batch", "relay batch"):
        wholes = [span for span in spans if span["name"] == name]
        assert sorted(link["trace_id"] for whole in wholes for link in whole["links"]) == TRACES
        assert sum(whole["attributes"]["messaging.batch.message_count"] for whole in wholes) == len(asked)
    children = {span["name"] for span in spans if span["parent_id"] in {each["span_id"] for each in spans}}
    assert children == {"load", "save"}

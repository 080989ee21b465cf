"""A command that is sent is the command that arrives."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.codec import MAX_ATTRIBUTE_LENGTH, MAX_DEPTH, Record, decode_command, encode_command, read_attributes
from events.commands import (
    COMMANDS,
    CommandData,
    DeploymentDeleteRequested,
    DeploymentRequested,
    EndpointTokenRequested,
    EnvironmentVariableDeleteRequested,
    EnvironmentVariablesRequested,
    PipelineDeleteRequested,
    PipelineRequested,
    SealedValue,
    StepBuildReported,
    StepDeleteRequested,
    StepRequested,
    StepUpdateRequested,
)
from events.envelope import Command, timestamp
from events.mappings import InputMapping, OutputMapping
from events.names import why_unaddressable
from events.resources import InputSpec, OutputSpec, Step, StepStatus
from events.results import StepCreated
from events.values import why_unfit

from .conftest import MakeCommand

RECEIVED = datetime(2030, 1, 1, tzinfo=UTC)

NAMES = st.text(min_size=1, max_size=255).filter(lambda name: why_unaddressable(name) is None)
# What a header can carry; the codec leaves out an attribute that is not printable or too long.
HEADER_TEXTS = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=60)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda each: st.lists(each, max_size=4) | st.dictionaries(st.text(), each, max_size=4),
    max_leaves=8,
)
OPTIONAL_TEXTS = st.none() | st.text(max_size=20)
MAPPINGS = st.lists(st.dictionaries(st.text(max_size=5), JSON_VALUES, max_size=2), max_size=2)
DATA_TYPES = st.sampled_from(["string", "number", "boolean", "json", "array", "file"])
INPUTS = st.builds(
    InputSpec,
    name=st.text(min_size=1, max_size=255),
    data_type=DATA_TYPES,
    description=OPTIONAL_TEXTS,
    is_required=st.booleans(),
    default_value=JSON_VALUES,
).filter(lambda each: each.default_value is None or why_unfit(each.default_value, each.data_type) is None)
OUTPUTS = st.builds(OutputSpec, name=st.text(min_size=1, max_size=255), data_type=DATA_TYPES)
LABELS = st.text(min_size=1, max_size=255)
HASHES = st.from_regex(r"[0-9a-f]{64}", fullmatch=True)
VARIABLE_NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,254}", fullmatch=True)
INPUT_MAPPINGS = st.builds(
    InputMapping,
    pipeline_input_name=LABELS,
    endpoint_input_name=st.none() | LABELS,
    is_required=st.none() | st.booleans(),
    default_value=JSON_VALUES,
    constant_value=JSON_VALUES,
    environment_variable_name=st.none() | VARIABLE_NAMES,
    is_null=st.none() | st.booleans(),
    datastore_path=st.none() | LABELS,
)
OUTPUT_MAPPINGS = st.builds(
    OutputMapping,
    pipeline_output_name=LABELS,
    endpoint_output_name=st.none() | LABELS,
    is_null=st.none() | st.booleans(),
    datastore_path=st.none() | LABELS,
)
DATA: st.SearchStrategy[CommandData] = st.one_of(
    st.builds(
        StepRequested,
        step_name=NAMES,
        function_path=st.text(min_size=1),
        function_name=st.text(min_size=1, max_size=255),
        description=OPTIONAL_TEXTS,
        inputs=st.lists(INPUTS, max_size=2, unique_by=lambda each: each.name),
        outputs=st.lists(OUTPUTS, max_size=2, unique_by=lambda each: each.name),
        container_config=st.dictionaries(st.text(), JSON_VALUES, max_size=3),
    ),
    st.builds(
        StepUpdateRequested,
        step_name=NAMES,
        function_path=st.none() | st.text(min_size=1),
        inputs=st.none() | st.lists(INPUTS, max_size=2, unique_by=lambda each: each.name),
        container_config=st.dictionaries(st.text(), JSON_VALUES, max_size=3),
        sealed_deploy_key=OPTIONAL_TEXTS,
    ),
    st.builds(
        StepBuildReported,
        step_name=NAMES,
        requested_by=st.text(),
        outcome=st.sampled_from(["ready", "failed"]),
        commit_id=OPTIONAL_TEXTS,
        origin=OPTIONAL_TEXTS,
        reason=OPTIONAL_TEXTS,
    ),
    st.builds(StepDeleteRequested, step_name=NAMES, force_dependents_deletion=st.booleans()),
    st.builds(PipelineRequested, pipeline_name=NAMES, step_names=st.lists(NAMES, max_size=2), connections=MAPPINGS),
    st.builds(
        PipelineDeleteRequested,
        pipeline_name=NAMES,
        force_deployments_deletion=st.booleans(),
        expected_version=st.none() | st.integers(),
    ),
    st.builds(
        DeploymentRequested,
        name=NAMES,
        pipeline_name=NAMES,
        execution_rule=st.sampled_from(["endpoint", "periodic"]),
        mode=st.sampled_from(["elastic", "low_latency"]),
        description=OPTIONAL_TEXTS,
        schedule=OPTIONAL_TEXTS,
        inputs_mapping=st.lists(INPUT_MAPPINGS, max_size=2),
        outputs_mapping=st.lists(OUTPUT_MAPPINGS, max_size=2),
        ram_request=st.none() | st.sampled_from(["512MiB", "1.5GiB"]),
        gpu_request=st.none() | st.integers(0, 8),
        endpoint_token_hash=st.none() | HASHES,
    ),
    st.builds(DeploymentDeleteRequested, name=NAMES),
    st.builds(EndpointTokenRequested, name=NAMES, endpoint_token_hash=HASHES),
    st.builds(
        EnvironmentVariablesRequested,
        environment_variables=st.lists(
            st.builds(SealedValue, name=VARIABLE_NAMES, sealed_value=st.text(min_size=1)), min_size=1, max_size=3
        ),
    ),
    st.builds(EnvironmentVariableDeleteRequested, name=VARIABLE_NAMES),
)
SENT = st.builds(
    Command,
    id=st.uuids(),
    environment=st.from_regex(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", fullmatch=True),
    actor=HEADER_TEXTS,
    source=HEADER_TEXTS,
    time=st.builds(
        timestamp,
        st.datetimes(
            datetime(1970, 1, 1),  # noqa: DTZ001 - the zone is given beside
            datetime(9998, 12, 31),  # noqa: DTZ001
            timezones=st.just(UTC),
        ),
    ),
    data=DATA,
    traceparent=st.none() | HEADER_TEXTS,
)


def arrived(record: Record) -> Command:
    return decode_command(read_attributes(record.headers), record.value, RECEIVED)


@settings(derandomize=True, deadline=None, max_examples=300)
@given(SENT)
def test_any_command_arrives_as_it_was_sent(sent: Command) -> None:
    received = arrived(encode_command(sent))
    assert received == sent
    assert received.fingerprint() == sent.fingerprint()


@settings(derandomize=True, deadline=None)
@given(SENT)
def test_a_command_is_keyed_by_its_environment(sent: Command) -> None:
    assert encode_command(sent).key == sent.environment.encode()


def test_a_command_travels_as_a_cloud_event_in_binary_mode(make_command: MakeCommand) -> None:
    record = encode_command(make_command(traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"))

    assert record.value == b'{"pipeline_name":"churn","step_names":["train"],"connections":[]}'
    assert dict(record.headers) == {
        "content-type": b"application/json",
        "ce_specversion": b"1.0",
        "ce_id": b"0192f6a0-0000-7000-8000-000000000001",
        "ce_type": b"pipeloom.PipelineRequested.v1",
        "ce_source": b"/tests",
        "ce_subject": b"pipelines/churn",
        "ce_time": b"2026-01-31T12:00:00.000Z",
        "ce_environment": b"lab",
        "ce_dataschema": b"pipeloom:/schemas/commands/PipelineRequested.v1.json",
        "ce_actor": b"ada",
        "ce_traceparent": b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    }


def test_an_attribute_without_a_value_has_no_header(make_command: MakeCommand) -> None:
    assert "ce_traceparent" not in dict(encode_command(make_command(traceparent=None)).headers)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_type_is_found_by_its_name(name: str) -> None:
    assert COMMANDS[name].__name__ == name


@pytest.mark.parametrize(
    ("data", "subject"),
    [
        (StepRequested(step_name="s", function_path="a.py", function_name="f"), "steps/s"),
        (StepBuildReported(step_name="s", requested_by="x", outcome="ready"), "steps/s"),
        (StepDeleteRequested(step_name="s"), "steps/s"),
        (PipelineRequested(pipeline_name="p", step_names=["s"]), "pipelines/p"),
        (PipelineDeleteRequested(pipeline_name="p"), "pipelines/p"),
        (DeploymentRequested(name="d", pipeline_name="p", execution_rule="endpoint"), "deployments/d"),
        (DeploymentDeleteRequested(name="d"), "deployments/d"),
    ],
    ids=lambda each: type(each).__name__,
)
def test_a_command_is_about_the_resource_that_it_names(data: CommandData, subject: str) -> None:
    assert data.subject() == subject


def test_a_time_in_another_zone_is_understood_as_the_same_moment(attributes: dict[str, str], value: bytes) -> None:
    attributes["time"] = "2026-01-31T14:00:00+02:00"
    assert decode_command(attributes, value, RECEIVED).time == "2026-01-31T12:00:00.000Z"


def test_without_a_time_the_records_own_timestamp_counts(attributes: dict[str, str], value: bytes) -> None:
    del attributes["time"]
    assert decode_command(attributes, value, RECEIVED).time == "2030-01-01T00:00:00.000Z"


def test_without_an_actor_the_actor_is_unknown(attributes: dict[str, str], value: bytes) -> None:
    del attributes["actor"]
    assert decode_command(attributes, value, RECEIVED).actor == "unknown"


def test_unknown_fields_and_attributes_are_ignored(attributes: dict[str, str]) -> None:
    value = b'{"pipeline_name": "churn", "step_names": ["train"], "priority": {"high": true}}'
    command = decode_command({**attributes, "priority": "high"}, value, RECEIVED)
    assert command.data == PipelineRequested(pipeline_name="churn", step_names=["train"])


@pytest.mark.parametrize(
    ("raw", "text"),
    [(b"", ""), (b"a b", "a b"), ("é😀".encode(), "é😀"), (b"x" * MAX_ATTRIBUTE_LENGTH, "x" * MAX_ATTRIBUTE_LENGTH)],
)
def test_a_readable_header_is_an_attribute(raw: bytes, text: str) -> None:
    assert read_attributes([("ce_actor", raw)]) == {"actor": text}


@pytest.mark.parametrize(
    "raw",
    [b"\xff", b"a\xc3", b"\xed\xa0\x80", b"a\x00", b"a\nb", b"\x1b[31m", b"x" * (MAX_ATTRIBUTE_LENGTH + 1), None],
)
def test_a_header_that_is_not_readable_text_is_no_attribute(raw: Any) -> None:
    assert read_attributes([("ce_actor", raw), ("ce_id", b"1")]) == {"id": "1"}


def test_headers_that_are_not_of_cloud_events_are_no_attributes() -> None:
    assert read_attributes([("content-type", b"application/json"), ("id", b"1"), ("CE_ID", b"1")]) == {}


@pytest.mark.parametrize("depth", [1, 50, MAX_DEPTH - 1])
def test_a_step_that_was_accepted_can_be_read_back_from_its_event(attributes: dict[str, str], depth: int) -> None:
    # Given
    attributes["type"] = "pipeloom.StepRequested.v1"
    deep = "[" * depth + "]" * depth
    value = f'{{"step_name":"s","function_path":"a","function_name":"f","container_config":{{"x":{deep}}}}}'
    asked = decode_command(attributes, value.encode(), RECEIVED).data
    # When
    step = Step(
        **asked.model_dump(),
        status=StepStatus.PENDING,
        requested_by="x",
        created_at="t",
        created_by="u",
        updated_at="t",
    )
    told = StepCreated(step=step).model_dump_json()
    # Then
    assert StepCreated.model_validate_json(told).step == step

"""Mappings: what a deployment may say of its pipeline's inputs and outputs, and what is filled in."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.commands import DeploymentRequested
from events.refusals import Code, Refused
from events.resources import Deployment, PipelineInput, PipelineOutput
from events.results import DeploymentCreated, EventData
from tests.unit.composer.world import (
    decided,
    having,
    pipeline,
    pipeline_input,
    pipeline_output,
    refused,
    step,
    variable,
)

INPUTS = [
    pipeline_input("months", "number", is_required=True, description="As a customer"),
    pipeline_input("plan", "string", default_value="basic"),
    pipeline_input("photo", "file"),
]
OUTPUTS = [pipeline_output("risk"), pipeline_output("report", "file")]
ALL_INPUTS = [
    {"pipeline_input_name": "months", "constant_value": 3},
    {"pipeline_input_name": "plan", "environment_variable_name": "K"},
    {"pipeline_input_name": "photo", "datastore_path": "photos/one.png"},
]
ALL_OUTPUTS = [
    {"pipeline_output_name": "risk", "is_null": True},
    {"pipeline_output_name": "report", "datastore_path": "reports/{date}.pdf"},
]
WORLD = having(step(), pipeline(inputs=INPUTS, outputs=OUTPUTS), variable("K"))


def asked(rule: str = "endpoint", **fields: Any) -> DeploymentRequested:
    schedule = {} if rule == "endpoint" else {"schedule": "0 6 * * 1"}
    return DeploymentRequested.model_validate(
        {"name": "d", "pipeline_name": "p", "execution_rule": rule, **schedule, **fields}
    )


def made(data: DeploymentRequested) -> Deployment:
    (event,) = decided(WORLD, data)
    assert isinstance(event, DeploymentCreated)
    return event.deployment


def told(mappings: list[Any]) -> list[dict[str, Any]]:
    kept = [each.model_dump(exclude={"data_type", "description"}, exclude_none=True) for each in mappings]
    return sorted(kept, key=str)


def test_what_an_endpoint_leaves_out_is_an_endpoint_input_or_output_of_the_same_name() -> None:
    deployment = made(asked())
    assert told(deployment.inputs_mapping) == [
        {"pipeline_input_name": "months", "endpoint_input_name": "months", "is_required": True},
        {
            "pipeline_input_name": "photo",
            "endpoint_input_name": "photo",
            "is_required": False,
        },
        {
            "pipeline_input_name": "plan",
            "endpoint_input_name": "plan",
            "is_required": False,
            "default_value": "basic",
        },
    ]
    assert told(deployment.outputs_mapping) == [
        {"pipeline_output_name": "report", "endpoint_output_name": "report"},
        {"pipeline_output_name": "risk", "endpoint_output_name": "risk"},
    ]


def test_a_mapping_keeps_what_the_pipeline_says_of_its_input() -> None:
    months = made(asked()).inputs_mapping[0]
    assert (months.pipeline_input_name, months.data_type, months.description) == ("months", "number", "As a customer")


@pytest.mark.parametrize("rule", ["endpoint", "periodic"])
def test_every_kind_of_source_and_destination_is_kept(rule: str) -> None:
    deployment = made(asked(rule, inputs_mapping=ALL_INPUTS, outputs_mapping=ALL_OUTPUTS))
    assert told(deployment.inputs_mapping) == sorted(ALL_INPUTS, key=str)
    assert told(deployment.outputs_mapping) == sorted(ALL_OUTPUTS, key=str)


def test_the_names_of_older_clients_mean_the_same() -> None:
    old = asked(
        inputs_mapping=[{"step_input_name": "months", "constant_value": 3}],
        outputs_mapping=[{"step_output_name": "risk", "is_null": True}],
    )
    new = asked(
        inputs_mapping=[{"pipeline_input_name": "months", "constant_value": 3}],
        outputs_mapping=[{"pipeline_output_name": "risk", "is_null": True}],
    )
    assert old == new


def test_an_endpoint_input_may_have_a_name_a_default_and_a_requirement_of_its_own() -> None:
    mapping = {"pipeline_input_name": "months", "endpoint_input_name": "m", "is_required": False, "default_value": 12}
    assert mapping in told(made(asked(inputs_mapping=[mapping])).inputs_mapping)


MONTHS = {"pipeline_input_name": "months"}
PLAN = {"pipeline_input_name": "plan"}
RISK = {"pipeline_output_name": "risk"}
IN, OUT = "inputs_mapping", "outputs_mapping"
REFUSED: dict[str, tuple[dict[str, Any], Code, str]] = {
    "an unknown input": ({IN: [{"pipeline_input_name": "age", "is_null": True}]}, Code.UNKNOWN_MAPPING, "'age'"),
    "an unknown output": ({OUT: [{"pipeline_output_name": "age", "is_null": True}]}, Code.UNKNOWN_MAPPING, "'age'"),
    "an input twice": ({IN: [{**PLAN, "is_null": True}] * 2}, Code.DUPLICATE_MAPPING, "'plan'"),
    "an output twice": ({OUT: [{**RISK, "is_null": True}] * 2}, Code.DUPLICATE_MAPPING, "'risk'"),
    "no source": ({IN: [MONTHS]}, Code.INVALID_MAPPING, "'months' cannot be used: it has no source"),
    "a null constant": ({IN: [{**MONTHS, "constant_value": None}]}, Code.INVALID_MAPPING, "no source"),
    "is_null that is false": ({IN: [{**PLAN, "is_null": False}]}, Code.INVALID_MAPPING, "no source"),
    "two sources": (
        {IN: [{**MONTHS, "constant_value": 1, "endpoint_input_name": "m"}]},
        Code.INVALID_MAPPING,
        "endpoint_input_name, constant_value",
    ),
    "no destination": ({OUT: [RISK]}, Code.INVALID_MAPPING, "'risk' cannot be used: it has no destination"),
    "two destinations": (
        {OUT: [{**RISK, "is_null": True, "endpoint_output_name": "r"}]},
        Code.INVALID_MAPPING,
        "endpoint_output_name, is_null",
    ),
    "a constant of another type": ({IN: [{**MONTHS, "constant_value": "3"}]}, Code.INVALID_MAPPING, "is number"),
    "a boolean for a number": ({IN: [{**MONTHS, "constant_value": True}]}, Code.INVALID_MAPPING, "it is true"),
    "a default of another type": (
        {IN: [{**MONTHS, "endpoint_input_name": "m", "default_value": []}]},
        Code.INVALID_MAPPING,
        "`default_value` does not fit",
    ),
    "a constant file": (
        {IN: [{"pipeline_input_name": "photo", "constant_value": "x"}]},
        Code.INVALID_MAPPING,
        "a file has no value",
    ),
    "a file from a variable": (
        {IN: [{"pipeline_input_name": "photo", "environment_variable_name": "K"}]},
        Code.INVALID_MAPPING,
        "`datastore_path`",
    ),
    "a path for what is no file": ({IN: [{**PLAN, "datastore_path": "x"}]}, Code.INVALID_MAPPING, "is for files"),
    "an output path for what is no file": (
        {OUT: [{**RISK, "datastore_path": "x"}]},
        Code.INVALID_MAPPING,
        "is for files",
    ),
    "null for a required input": ({IN: [{**MONTHS, "is_null": True}]}, Code.INVALID_MAPPING, "is required"),
    "a required input that may be left out": (
        {IN: [{**MONTHS, "endpoint_input_name": "m", "is_required": False}]},
        Code.INVALID_MAPPING,
        "must be required too",
    ),
    "a default without an endpoint": (
        {IN: [{**MONTHS, "constant_value": 3, "default_value": 4}]},
        Code.INVALID_MAPPING,
        "belong to an `endpoint_input_name`",
    ),
    "a requirement without an endpoint": (
        {IN: [{**MONTHS, "constant_value": 3, "is_required": False}]},
        Code.INVALID_MAPPING,
        "belong to an `endpoint_input_name`",
    ),
    "two inputs with one endpoint name": (
        {IN: [{**MONTHS, "endpoint_input_name": "a"}, {**PLAN, "endpoint_input_name": "a"}]},
        Code.DUPLICATE_MAPPING,
        "'months' and 'plan' have the same endpoint input 'a'",
    ),
    "the endpoint name of an input that was left out": (
        {IN: [{**MONTHS, "endpoint_input_name": "plan"}]},
        Code.DUPLICATE_MAPPING,
        "'months' and 'plan'",
    ),
    "two outputs with one endpoint name": (
        {OUT: [{**RISK, "endpoint_output_name": "report"}]},
        Code.DUPLICATE_MAPPING,
        "'risk' and 'report'",
    ),
    "a variable that is not there": (
        {IN: [{**PLAN, "environment_variable_name": "ABSENT"}]},
        Code.ENVIRONMENT_VARIABLE_NOT_FOUND,
        "'ABSENT'",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_mapping_that_does_not_fit_is_refused_and_named(case: str) -> None:
    fields, code, says = REFUSED[case]
    refusal = refused(WORLD, asked(**fields))
    assert refusal.code == code
    assert says in refusal.message
    assert refusal.details


@pytest.mark.parametrize(
    ("inputs", "outputs", "missing"),
    [
        ([], [], (["months", "plan", "photo"], ["risk", "report"])),
        (ALL_INPUTS[1:], ALL_OUTPUTS, (["months"], [])),
        (ALL_INPUTS, ALL_OUTPUTS[1:], ([], ["risk"])),
    ],
)
def test_a_periodic_deployment_maps_everything(inputs: Any, outputs: Any, missing: tuple[list[str], list[str]]) -> None:
    refusal = refused(WORLD, asked("periodic", inputs_mapping=inputs, outputs_mapping=outputs))
    assert refusal.code == Code.MISSING_MAPPING
    assert (refusal.details["inputs"], refusal.details["outputs"]) == missing


@pytest.mark.parametrize(
    ("inputs", "outputs"),
    [
        ([*ALL_INPUTS[1:], {"pipeline_input_name": "months", "endpoint_input_name": "m"}], ALL_OUTPUTS),
        (ALL_INPUTS, [*ALL_OUTPUTS[1:], {"pipeline_output_name": "risk", "endpoint_output_name": "r"}]),
    ],
)
def test_a_periodic_deployment_has_no_endpoint(inputs: Any, outputs: Any) -> None:
    refusal = refused(WORLD, asked("periodic", inputs_mapping=inputs, outputs_mapping=outputs))
    assert (refusal.code, "has no endpoint" in refusal.message) == (Code.INVALID_MAPPING, True)


@pytest.mark.parametrize("kind", ["input", "output"])
def test_an_endpoint_takes_and_gives_one_file_at_most(kind: str) -> None:
    two = {
        "input": {"inputs": [pipeline_input("a", "file"), pipeline_input("b", "file")]},
        "output": {"outputs": [pipeline_output("a", "file"), pipeline_output("b", "file")]},
    }
    refusal = refused(having(step(), pipeline(**two[kind])), asked())  # type: ignore[arg-type]
    assert (refusal.code, refusal.details["names"]) == (Code.INVALID_MAPPING, ["a", "b"])


DATA_TYPES = st.sampled_from(["string", "number", "boolean", "json", "array", "file"])
DEFAULTS = {"string": "s", "number": 1.5, "boolean": False, "json": {"a": [1]}, "array": [1], "file": None}


@st.composite
def pipeline_inputs(draw: st.DrawFn) -> list[PipelineInput]:
    names = draw(st.lists(st.text("abcdef", min_size=1, max_size=3), max_size=5, unique=True))
    typed = [(name, draw(DATA_TYPES.filter(lambda kind: kind != "file"))) for name in names]
    return [
        pipeline_input(
            name, kind, is_required=draw(st.booleans()), default_value=DEFAULTS[kind] if draw(st.booleans()) else None
        )
        for name, kind in typed
    ]


SOURCES: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "endpoint_input_name": st.text("abcdef", min_size=1, max_size=3),
        "constant_value": st.sampled_from(list(DEFAULTS.values())),
        "environment_variable_name": st.sampled_from(["K", "L"]),
        "is_null": st.booleans(),
        "datastore_path": st.just("path"),
        "is_required": st.booleans(),
        "default_value": st.sampled_from(list(DEFAULTS.values())),
    },
)
MAPPING_CODES = {
    Code.UNKNOWN_MAPPING,
    Code.DUPLICATE_MAPPING,
    Code.MISSING_MAPPING,
    Code.INVALID_MAPPING,
    Code.ENVIRONMENT_VARIABLE_NOT_FOUND,
}


def outcome(world: list[EventData], data: DeploymentRequested) -> Deployment | Refused:
    try:
        (event,) = decided(world, data)
    except Refused as refusal:
        return refusal
    assert isinstance(event, DeploymentCreated)
    return event.deployment


@settings(derandomize=True, deadline=None)
@given(
    inputs=pipeline_inputs(),
    outputs=st.lists(st.text("abc", min_size=1, max_size=2), max_size=3, unique=True),
    mappings=st.lists(st.tuples(st.text("abcdef", min_size=1, max_size=3), SOURCES), max_size=4),
    rule=st.sampled_from(["endpoint", "periodic"]),
)
def test_whatever_is_asked_all_is_mapped_once_or_it_is_refused_for_its_mappings(
    inputs: list[PipelineInput], outputs: list[str], mappings: list[tuple[str, dict[str, Any]]], rule: str
) -> None:
    world = having(step(), pipeline(inputs=inputs, outputs=[pipeline_output(name) for name in outputs]), variable("K"))
    known = [each.input_name for each in inputs]
    named = [(known[len(name) % len(known)] if known else name, source) for name, source in mappings]
    data = asked(rule, inputs_mapping=[{"pipeline_input_name": name, **source} for name, source in named])
    deployment = outcome(world, data)
    if isinstance(deployment, Refused):
        assert deployment.code in MAPPING_CODES
        return
    assert [each.pipeline_input_name for each in deployment.inputs_mapping] == known
    assert [each.pipeline_output_name for each in deployment.outputs_mapping] == outputs
    assert all(len(each.sources()) == 1 for each in deployment.inputs_mapping)
    assert all(len(each.destinations()) == 1 for each in deployment.outputs_mapping)
    at_endpoint = [each.endpoint_input_name for each in deployment.inputs_mapping if each.endpoint_input_name]
    assert len(set(at_endpoint)) == len(at_endpoint)
    assert rule == "endpoint" or not at_endpoint
    for declared, each in zip(inputs, deployment.inputs_mapping, strict=True):
        assert not (declared.is_required and each.is_null)


@settings(derandomize=True, deadline=None)
@given(inputs=pipeline_inputs())
def test_an_endpoint_asked_for_with_what_was_filled_in_is_the_same_endpoint(inputs: list[PipelineInput]) -> None:
    world = having(step(), pipeline(inputs=inputs, outputs=OUTPUTS))
    (short,) = decided(world, asked())
    assert isinstance(short, DeploymentCreated)
    spelled_out = [each.model_dump(exclude={"data_type", "description"}) for each in short.deployment.inputs_mapping]
    (long,) = decided(world, asked(inputs_mapping=spelled_out))
    assert long == short


def test_outputs_of_the_pipeline_stand_in_its_order() -> None:
    outputs: list[PipelineOutput] = [pipeline_output(name) for name in "zya"]
    world = having(step(), pipeline(outputs=outputs))
    mapping = [{"pipeline_output_name": "a", "is_null": True}, {"pipeline_output_name": "z", "is_null": True}]
    (event,) = decided(world, asked(outputs_mapping=mapping))
    assert isinstance(event, DeploymentCreated)
    assert [each.pipeline_output_name for each in event.deployment.outputs_mapping] == ["z", "y", "a"]

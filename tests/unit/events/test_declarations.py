"""What a step may declare, by whichever door it is asked for."""

import json
from typing import Any

import pytest
from pydantic import JsonValue

from events.codec import decode_data
from events.commands import CommandData, StepRequested, StepUpdateRequested
from events.refusals import Code, Refused

STEP = {"step_name": "train", "function_path": "a.py", "function_name": "train"}


def decoded(model: type[CommandData], **declared: Any) -> CommandData:
    return decode_data(model, json.dumps({**STEP, **declared}).encode())


def refusal(model: type[CommandData], **declared: Any) -> str:
    with pytest.raises(Refused) as caught:
        decoded(model, **declared)
    assert caught.value.code is Code.INVALID_BODY
    return caught.value.message


def named(*names: str) -> list[dict[str, str]]:
    return [{"name": name, "data_type": "number"} for name in names]


@pytest.mark.parametrize("model", [StepRequested, StepUpdateRequested])
@pytest.mark.parametrize("kind", ["input", "output"])
def test_two_of_one_name_are_refused_with_the_name(model: type[CommandData], kind: str) -> None:
    told = refusal(model, **{f"{kind}s": named("a", "b", "c", "b")})
    assert told == f"{kind}s: more than one {kind} is called 'b'; give each {kind} a name of its own."


@pytest.mark.parametrize("model", [StepRequested, StepUpdateRequested])
def test_an_input_and_an_output_may_have_one_name(model: type[CommandData]) -> None:
    assert decoded(model, inputs=named("a", "A"), outputs=named("a"))


@pytest.mark.parametrize(
    ("data_type", "value"),
    [
        ("number", "3"),
        ("number", True),
        ("string", 3),
        ("boolean", "true"),
        ("boolean", 0),
        ("array", {"a": 1}),
        ("array", "[]"),
        ("file", "a.csv"),
    ],
)
@pytest.mark.parametrize("model", [StepRequested, StepUpdateRequested])
def test_a_default_value_of_another_type_is_refused(model: type[CommandData], data_type: str, value: JsonValue) -> None:
    told = refusal(model, inputs=[*named("a"), {"name": "b", "data_type": data_type, "default_value": value}])
    assert told.startswith("inputs.1: the default_value of 'b' does not fit: ")


@pytest.mark.parametrize(
    ("data_type", "value"),
    [
        ("number", 3),
        ("number", 2.5),
        ("string", ""),
        ("string", "3"),
        ("boolean", False),
        ("array", []),
        ("json", "a"),
        ("json", {"a": [1]}),
        *((data_type, None) for data_type in ("number", "string", "boolean", "array", "json", "file")),
    ],
)
def test_a_default_value_of_the_declared_type_is_taken(data_type: str, value: JsonValue) -> None:
    step = decoded(StepRequested, inputs=[{"name": "a", "data_type": data_type, "default_value": value}])
    assert isinstance(step, StepRequested)
    assert step.inputs[0].default_value == value

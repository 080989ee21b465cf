"""What is wrong with a value, in the words of who sent it."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from events.commands import PipelineRequested
from events.validation import refusal_of
from events.wording import fault_of


@pytest.mark.parametrize(
    ("wanted", "given", "fault"),
    [
        (str, None, "must be a text, and is null"),
        (str, 1.5, "must be a text, and is a number"),
        (list[int], {}, "must be a list, and is an object"),
        (dict[str, int], [], "must be an object, and is a list"),
        (dict[str, int], "a", "must be an object, and is a text"),
        (bool, "a", "must be true or false"),
        (bool, [], "must be true or false, and is a list"),
        (int, "a", "must be a whole number"),
        (int, "1" * 5000, "must be a whole number of fewer digits"),
        (int, 1.5, "must be a whole number"),
        (float, "a", "must be a number"),
        (PipelineRequested, True, "must be an object, and is true"),
    ],
)
def test_a_type_is_told_as_json_calls_it(wanted: Any, given: Any, fault: str) -> None:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(wanted).validate_python(given)
    assert fault_of(caught.value.errors()[0]) == fault


def test_a_commands_refusal_names_no_type_of_python() -> None:
    with pytest.raises(ValidationError) as caught:
        PipelineRequested.model_validate({"pipeline_name": "churn", "step_names": "train", "connections": ["a"]})
    told = refusal_of(caught.value).message
    assert told == "step_names: must be a list, and is a text; connections.0: must be an object, and is a text."

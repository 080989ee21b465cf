"""What is wrong with a value, in the words of who sent it."""

from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from pydantic import Field, IPvAnyNetwork, TypeAdapter, ValidationError

from events.commands import DeploymentRequested, PipelineRequested
from events.patterns import DIGEST
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
        (Annotated[list[int], Field(min_length=1)], [], "must have at least 1 entry, and has 0"),
        (Annotated[list[int], Field(max_length=1)], [1, 2], "must have at most 1 entry, and has 2"),
        (Annotated[str, Field(min_length=1)], "", "must have a character"),
        (Annotated[float, Field(gt=0)], 0, "must be more than 0"),
        (Literal["a", "b", "c"], "d", "must be 'a', 'b' or 'c'"),
        (Annotated[str, DIGEST], "sha256:ZZ", "must be `sha256:` and 64 hexadecimal digits in small letters"),
        (UUID, "zzz", "must be a UUID, as in 0198c5f2-a7f0-7e11-b9f4-0d2f7c64e5a9"),
        (IPvAnyNetwork, "10.0.0.0/99", "must be a network, as in 10.1.0.0/16"),
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


def test_a_commands_refusal_names_what_is_missing_and_shows_no_pattern() -> None:
    with pytest.raises(ValidationError) as caught:
        DeploymentRequested.model_validate({"name": "a", "execution_rule": "endpoint", "ram_request": "lots"})
    told = refusal_of(caught.value).message
    assert told == "pipeline_name: is missing; ram_request: must be a number and KiB, MiB or GiB, as in 512MiB."

"""What a step declares: inputs and outputs of distinct names, default values that fit, and where its code is."""

from collections import Counter
from collections.abc import Sequence
from typing import Annotated

from pydantic import AfterValidator, JsonValue
from pydantic_core import PydanticCustomError

from events.names import has_control_characters
from events.resources import InputSpec, OutputSpec
from events.values import why_unfit

MAX_TEXT = 4096
MAX_ENTRIES = 100
TEXTS = (
    "language",
    "repository_url",
    "repository_branch",
    "requirements_path",
    "dockerfile_path",
)
LISTS = ("included_folders", "system_dependencies")


def _fitting(declared: InputSpec) -> InputSpec:
    reason = None if declared.default_value is None else why_unfit(declared.default_value, declared.data_type)
    if reason:
        raise PydanticCustomError(
            "unfit_default",
            "the default_value of '{name}' does not fit: {reason}",
            {"name": declared.name, "reason": reason},
        )
    return declared


def _distinct_inputs(declared: list[InputSpec]) -> list[InputSpec]:
    _demand_distinct("input", [each.name for each in declared])
    return declared


def _distinct_outputs(declared: list[OutputSpec]) -> list[OutputSpec]:
    _demand_distinct("output", [each.name for each in declared])
    return declared


def _demand_distinct(kind: str, names: Sequence[str]) -> None:
    twice = [name for name, number in Counter(names).items() if number > 1]
    if twice:
        raise PydanticCustomError(
            "duplicate_name",
            "more than one {kind} is called '{name}'; give each {kind} a name of its own",
            {"kind": kind, "name": twice[0]},
        )


def _readable(config: dict[str, JsonValue]) -> dict[str, JsonValue]:
    for name in TEXTS:
        value = config.get(name)
        if value is not None and not _is_text(value, MAX_TEXT):
            raise _unfit_field(name, f"must be text of at most {MAX_TEXT} characters, without control characters")
    for name in LISTS:
        value = config.get(name)
        if value is not None and not _are_texts(value):
            raise _unfit_field(name, f"must be a list of at most {MAX_ENTRIES} texts")
    return config


def _is_text(value: JsonValue, longest: int) -> bool:
    return isinstance(value, str) and len(value) <= longest and not has_control_characters(value)


def _are_texts(value: JsonValue) -> bool:
    return isinstance(value, list) and len(value) <= MAX_ENTRIES and all(_is_text(each, MAX_TEXT) for each in value)


def _unfit_field(name: str, reason: str) -> PydanticCustomError:
    return PydanticCustomError("unfit_field", "{name} {reason}", {"name": name, "reason": reason})


Inputs = Annotated[list[Annotated[InputSpec, AfterValidator(_fitting)]], AfterValidator(_distinct_inputs)]
"""The inputs of a step."""

Outputs = Annotated[list[OutputSpec], AfterValidator(_distinct_outputs)]
"""The outputs of a step."""

ContainerConfig = Annotated[dict[str, JsonValue], AfterValidator(_readable)]
"""Where a step's code is and what it needs; fields that nobody knows are kept as they came."""

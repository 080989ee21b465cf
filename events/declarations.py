"""What a step declares: inputs and outputs of distinct names, and default values that are what their inputs say."""

from collections import Counter
from collections.abc import Sequence
from typing import Annotated

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from events.resources import InputSpec, OutputSpec
from events.values import why_unfit


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


Inputs = Annotated[list[Annotated[InputSpec, AfterValidator(_fitting)]], AfterValidator(_distinct_inputs)]
"""The inputs of a step."""

Outputs = Annotated[list[OutputSpec], AfterValidator(_distinct_outputs)]
"""The outputs of a step."""

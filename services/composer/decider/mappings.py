"""The rules of mappings: every name once, nothing unknown, nothing left out, endpoint names told apart."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeVar

from events.commands import DeploymentRequested
from events.mappings import InputMapping, OutputMapping
from events.refusals import Code, Refused
from events.resources import DataType, DeploymentInput, DeploymentOutput, EnvironmentVariable, Pipeline
from services.composer.decider.dependents import named
from services.composer.decider.destinations import mapped_output
from services.composer.decider.sources import mapped_input
from services.composer.decider.state import Shelf

Given = TypeVar("Given", InputMapping, OutputMapping)


class Mapped(NamedTuple):
    """Every input and output of a pipeline with its mapping, in the pipeline's order."""

    inputs: list[DeploymentInput]
    outputs: list[DeploymentOutput]


class _End(NamedTuple):
    """An input or output at an endpoint: what the pipeline and what the endpoint calls it."""

    name: str
    endpoint_name: str
    data_type: DataType


def map_pipeline(data: DeploymentRequested, pipeline: Pipeline, variables: Shelf[EnvironmentVariable]) -> Mapped:
    """Return how all of `pipeline` is mapped; what an endpoint leaves out is filled in under its own name.

    Raises Refused: unknown_, duplicate_, missing_ or invalid_mapping, environment_variable_not_found.
    """
    inputs = {each.input_name: each for each in pipeline.inputs}
    outputs = {each.output_name: each for each in pipeline.outputs}
    given_inputs = _by_name("input", inputs, ((each.pipeline_input_name, each) for each in data.inputs_mapping))
    given_outputs = _by_name("output", outputs, ((each.pipeline_output_name, each) for each in data.outputs_mapping))
    if data.execution_rule == "periodic":
        _check_complete([n for n in inputs if n not in given_inputs], [n for n in outputs if n not in given_outputs])
    mapped = Mapped(
        [mapped_input(data.execution_rule, each, given_inputs.get(name), variables) for name, each in inputs.items()],
        [mapped_output(data.execution_rule, each, given_outputs.get(name)) for name, each in outputs.items()],
    )
    _check_endpoint(
        "input",
        [
            _End(m.pipeline_input_name, m.endpoint_input_name, m.data_type)
            for m in mapped.inputs
            if m.endpoint_input_name
        ],
    )
    _check_endpoint(
        "output",
        [
            _End(m.pipeline_output_name, m.endpoint_output_name, m.data_type)
            for m in mapped.outputs
            if m.endpoint_output_name
        ],
    )
    return mapped


def _by_name(kind: str, known: Mapping[str, object], given: Iterable[tuple[str, Given]]) -> dict[str, Given]:
    found: dict[str, Given] = {}
    for name, mapping in given:
        if name not in known:
            has = f"It has the {named(kind, list(known))}" if known else f"It has no {kind}s"
            raise Refused(
                Code.UNKNOWN_MAPPING,
                f"The pipeline has no {kind} '{name}', which a mapping names. {has}.",
                **{f"{kind}_name": name},
            )
        if name in found:
            raise Refused(
                Code.DUPLICATE_MAPPING,
                f"The {kind} '{name}' is mapped more than once. Keep one of its mappings.",
                **{f"{kind}_name": name},
            )
        found[name] = mapping
    return found


def _check_complete(inputs: list[str], outputs: list[str]) -> None:
    if inputs or outputs:
        missing = " and the ".join(
            named(kind, names) for kind, names in (("input", inputs), ("output", outputs)) if names
        )
        raise Refused(
            Code.MISSING_MAPPING,
            f"A periodic deployment maps every input and output, and this one leaves out the {missing}. "
            "Give each a mapping; `is_null` is one.",
            inputs=list(inputs),
            outputs=list(outputs),
        )


def _check_endpoint(kind: str, ends: list[_End]) -> None:
    """Raise Refused when a request or an answer could not tell the ends apart (source: the page of 0.36 to 0.55)."""
    by_name: dict[str, _End] = {}
    for end in ends:
        other = by_name.setdefault(end.endpoint_name, end)
        if other is not end:
            raise Refused(
                Code.DUPLICATE_MAPPING,
                f"The {kind}s '{other.name}' and '{end.name}' have the same endpoint {kind} '{end.endpoint_name}'. "
                "Give each a name of its own.",
                endpoint_name=end.endpoint_name,
                names=[other.name, end.name],
            )
    files = [end.name for end in ends if end.data_type == "file"]
    if len(files) > 1:
        raise Refused(
            Code.INVALID_MAPPING,
            f"An endpoint has at most one {kind} that is a file, and the {named(kind, files)} are. "
            "Map all but one to `datastore_path`.",
            names=list(files),
        )

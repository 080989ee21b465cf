"""The rules of one input's source."""

from typing import Any

from pydantic import JsonValue

from events.mappings import InputMapping
from events.refusals import Code, Refused
from events.resources import DeploymentInput, EnvironmentVariable, ExecutionRule, PipelineInput
from events.values import why_unfit
from services.composer.decider.state import Shelf

SOURCES = "endpoint_input_name, constant_value, environment_variable_name, is_null, datastore_path"


def mapped_input(
    rule: ExecutionRule, declared: PipelineInput, given: InputMapping | None, variables: Shelf[EnvironmentVariable]
) -> DeploymentInput:
    """Return where `declared` comes from; from an endpoint input of its own name when nothing is given."""
    given = given or InputMapping(pipeline_input_name=declared.input_name, endpoint_input_name=declared.input_name)
    source = _only_source(given)
    if source != "endpoint_input_name" and (given.is_required is not None or given.default_value is not None):
        raise _invalid(given, "`is_required` and `default_value` belong to an `endpoint_input_name`; leave them out")
    match source:
        case "endpoint_input_name":
            return _from_endpoint(rule, declared, given)
        case "constant_value":
            _check_value(given, declared, "constant_value", given.constant_value)
        case "environment_variable_name":
            _check_variable(given, declared, variables)
        case "is_null":
            if declared.is_required:
                raise _invalid(given, "the input is required, so it cannot be null; give it another source")
        case _:
            if declared.data_type != "file":
                raise _invalid(given, f"`datastore_path` is for files, and the input is of type {declared.data_type}")
    return _mapped(declared, **{source: getattr(given, source)})


def _only_source(given: InputMapping) -> str:
    sources = given.sources()
    if len(sources) != 1:
        told = f"it has the sources {', '.join(sources)}" if sources else "it has no source"
        raise _invalid(given, f"{told}. Give exactly one of {SOURCES}")
    return sources[0]


def _from_endpoint(rule: ExecutionRule, declared: PipelineInput, given: InputMapping) -> DeploymentInput:
    if rule != "endpoint":
        raise _invalid(given, "a periodic deployment has no endpoint; give another source")
    if given.default_value is not None:
        _check_value(given, declared, "default_value", given.default_value)
    default = declared.default_value if given.default_value is None else given.default_value
    required = declared.is_required if given.is_required is None else given.is_required
    if declared.is_required and not required and default is None:
        raise _invalid(
            given, "the input is required, so its endpoint input must be required too or have a `default_value`"
        )
    return _mapped(declared, endpoint_input_name=given.endpoint_input_name, is_required=required, default_value=default)


def _check_value(given: InputMapping, declared: PipelineInput, field: str, value: JsonValue) -> None:
    reason = why_unfit(value, declared.data_type)
    if reason:
        raise _invalid(given, f"`{field}` does not fit: {reason}")


def _check_variable(given: InputMapping, declared: PipelineInput, variables: Shelf[EnvironmentVariable]) -> None:
    if declared.data_type == "file":
        raise _invalid(given, "a file cannot come from an environment variable; give a `datastore_path`")
    name = given.environment_variable_name or ""
    if variables.find(name) is None:
        raise Refused(
            Code.ENVIRONMENT_VARIABLE_NOT_FOUND,
            f"The input '{given.pipeline_input_name}' is mapped to the environment variable '{name}', "
            "which does not exist. Set it first, or check the name.",
            input_name=given.pipeline_input_name,
            environment_variable_name=name,
        )


def _mapped(declared: PipelineInput, **source: Any) -> DeploymentInput:
    return DeploymentInput(
        pipeline_input_name=declared.input_name,
        data_type=declared.data_type,
        description=declared.description,
        **source,
    )


def _invalid(given: InputMapping, reason: str) -> Refused:
    return Refused(
        Code.INVALID_MAPPING,
        f"The mapping of the input '{given.pipeline_input_name}' cannot be used: {reason}.",
        input_name=given.pipeline_input_name,
    )

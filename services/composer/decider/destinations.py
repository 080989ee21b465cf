"""The rules of one output's destination."""

from events.mappings import OutputMapping
from events.refusals import Code, Refused
from events.resources import DeploymentOutput, ExecutionRule, PipelineOutput

DESTINATIONS = "endpoint_output_name, is_null, datastore_path"


def mapped_output(rule: ExecutionRule, declared: PipelineOutput, given: OutputMapping | None) -> DeploymentOutput:
    """Return where `declared` goes; to an endpoint output of its own name when nothing is given."""
    given = given or OutputMapping(pipeline_output_name=declared.output_name, endpoint_output_name=declared.output_name)
    destination = _only_destination(given)
    if destination == "endpoint_output_name" and rule != "endpoint":
        raise _invalid(given, "a periodic deployment has no endpoint; give `is_null` or a `datastore_path`")
    if destination == "datastore_path" and declared.data_type != "file":
        raise _invalid(given, f"`datastore_path` is for files, and the output is of type {declared.data_type}")
    return DeploymentOutput(
        pipeline_output_name=declared.output_name,
        data_type=declared.data_type,
        description=declared.description,
        **{destination: getattr(given, destination)},
    )


def _only_destination(given: OutputMapping) -> str:
    destinations = given.destinations()
    if len(destinations) != 1:
        told = f"it has the destinations {', '.join(destinations)}" if destinations else "it has no destination"
        raise _invalid(given, f"{told}. Give exactly one of {DESTINATIONS}")
    return destinations[0]


def _invalid(given: OutputMapping, reason: str) -> Refused:
    return Refused(
        Code.INVALID_MAPPING,
        f"The mapping of the output '{given.pipeline_output_name}' cannot be used: {reason}.",
        output_name=given.pipeline_output_name,
    )

"""The rules of a deployment's options: which go with which mode and rule (source: the page of 0.43 to 0.55)."""

from events.commands import DeploymentRequested
from events.refusals import Code, Refused
from events.resources import LOW_LATENCY_OPTIONS

DEFAULT_PARALLEL_EXECUTIONS = 6


def check_options(data: DeploymentRequested) -> None:
    """Raise Refused invalid_option when an option has no meaning for this deployment."""
    given = [name for name in LOW_LATENCY_OPTIONS if getattr(data, name) is not None]
    if given and data.mode != "low_latency":
        raise _invalid(given[0], "it is for the mode low_latency, and the mode is elastic")
    if data.max_parallel_executions_per_pod is not None and not data.enable_parallel_executions:
        raise _invalid("max_parallel_executions_per_pod", "it is for when enable_parallel_executions is true")
    if data.execution_rule == "periodic" and data.endpoint_token_hash is not None:
        raise _invalid("endpoint_token_hash", "only endpoints have tokens")


def effective_options(data: DeploymentRequested) -> dict[str, bool | int | None]:
    """Return the options that have a default, as they take effect."""
    if data.mode != "low_latency":
        return {}
    parallel = bool(data.enable_parallel_executions)
    most = (data.max_parallel_executions_per_pod or DEFAULT_PARALLEL_EXECUTIONS) if parallel else None
    return {"enable_parallel_executions": parallel, "max_parallel_executions_per_pod": most}


def _invalid(option: str, reason: str) -> Refused:
    return Refused(
        Code.INVALID_OPTION,
        f"The option {option} cannot be used: {reason}. Leave it out, or change the other.",
        option=option,
    )

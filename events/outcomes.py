"""Which command a result answers, by its type: each one is the answer to one kind of command."""

from events.results import RESULTS, CommandRejected

COMMAND_OF: dict[str, str] = {
    "StepCreated": "StepRequested",
    "StepUpdated": "StepUpdateRequested",
    "StepReady": "StepBuildReported",
    "StepFailed": "StepBuildReported",
    "StepDeleted": "StepDeleteRequested",
    "PipelineCreated": "PipelineRequested",
    "PipelineDeleted": "PipelineDeleteRequested",
    "DeploymentCreated": "DeploymentRequested",
    "DeploymentDeleted": "DeploymentDeleteRequested",
    "EndpointTokenRenewed": "EndpointTokenRequested",
    "EnvironmentVariablesSet": "EnvironmentVariablesRequested",
    "EnvironmentVariableDeleted": "EnvironmentVariableDeleteRequested",
}
"""Every result but the refusal, which names its command itself."""


def results_of(command_type: str) -> list[str]:
    """Return the types of the results that a command of this type can have, the refusal aside."""
    return [result for result in RESULTS if COMMAND_OF.get(result) == command_type]


def is_refusal(event_type: str) -> bool:
    """Tell whether an event of this type says that a command had no effect."""
    return event_type == CommandRejected.__name__

"""Results: what has become so. A command's last event is its result and carries the whole answer."""

from pydantic import JsonValue

from events.model import Versioned
from events.resources import Deployment, DeploymentRef, EnvironmentVariable, Pipeline, Step


class EventData(Versioned):
    """The data of a result event; its type's name is the class's name."""

    def subject(self) -> str:
        """Return the resource that the event is about, for example `pipelines/churn`."""
        raise NotImplementedError


class _StepEvent(EventData):
    step: Step

    def subject(self) -> str:
        return f"steps/{self.step.step_name}"


class StepCreated(_StepEvent):
    """A step was accepted and waits for a builder (status Pending)."""


class StepUpdated(_StepEvent):
    """A step is to be built anew (status Pending); `before` is the step as it was."""

    before: Step


class StepReady(_StepEvent):
    """A step was built and can be used; `before` is the pending step."""

    before: Step


class StepFailed(_StepEvent):
    """A step could not be built; its `failure` says what to mend and its name may be requested again."""

    before: Step


class StepDeleted(_StepEvent):
    """A step is gone (`step` is its last state), with the dependents that a forced deletion took along."""

    pipelines: list[str]
    deployments: list[DeploymentRef]


class _PipelineEvent(EventData):
    pipeline: Pipeline

    def subject(self) -> str:
        return f"pipelines/{self.pipeline.pipeline_name}"


class PipelineCreated(_PipelineEvent):
    """A pipeline exists and can be read by everyone in its environment."""


class PipelineDeleted(_PipelineEvent):
    """A pipeline is gone (`pipeline` is its last state), with the deployments that a forced deletion took along."""

    deployments: list[DeploymentRef]


class _DeploymentEvent(EventData):
    deployment: Deployment

    def subject(self) -> str:
        return f"deployments/{self.deployment.name}"


class DeploymentCreated(_DeploymentEvent):
    """A deployment exists."""


class DeploymentDeleted(_DeploymentEvent):
    """A deployment is gone (`deployment` is its last state)."""


class EndpointTokenRenewed(_DeploymentEvent):
    """An endpoint is called with another token from now on; `before` is the deployment with the old token's hash."""

    before: Deployment


class EnvironmentVariablesSet(EventData):
    """Variables have these values from now on; `replaced` names the ones that had another before."""

    environment_variables: list[EnvironmentVariable]
    replaced: list[str]

    def subject(self) -> str:
        return "environment-variables"


class EnvironmentVariableDeleted(EventData):
    """A variable is gone (`environment_variable` is its last state)."""

    environment_variable: EnvironmentVariable

    def subject(self) -> str:
        return f"environment-variables/{self.environment_variable.name}"


class CommandRejected(EventData):
    """A command had no effect: which one, the stable code, why and what to do, and the culprits."""

    command_type: str
    command_subject: str
    code: str
    message: str
    details: dict[str, JsonValue]

    def subject(self) -> str:
        return self.command_subject


RESULTS: dict[str, type[EventData]] = {
    model.__name__: model
    for model in (
        StepCreated,
        StepUpdated,
        StepReady,
        StepFailed,
        StepDeleted,
        PipelineCreated,
        PipelineDeleted,
        DeploymentCreated,
        DeploymentDeleted,
        EndpointTokenRenewed,
        EnvironmentVariablesSet,
        EnvironmentVariableDeleted,
        CommandRejected,
    )
}

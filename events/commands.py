"""Commands: what producers ask for. Each one ends in exactly one result."""

from typing import ClassVar, Literal

from pydantic import Field, JsonValue

from events.model import Model
from events.names import Name
from events.resources import ExecutionRule, InputSpec, KeptSource, OutputSpec

# Every input stands in the events of the pipelines that take it over, and these have to fit into one record.
MAX_INPUTS = 1_000
MAX_SEALED = 32_768


class CommandData(Model):
    """The data of a command; its type's name is the class's name."""

    version: ClassVar[int] = 1
    # Fields that a sender derives from the command's id and a key of its own: a repeat may have another key.
    derived: ClassVar[set[str]] = set()

    def subject(self) -> str:
        """Return the resource that the command is about, for example `pipelines/churn`."""
        raise NotImplementedError


class StepRequested(CommandData):
    """Ask for a step; it is Pending until a builder has reported."""

    step_name: Name
    function_path: str = Field(min_length=1, max_length=4096)
    function_name: str = Field(min_length=1, max_length=255)
    description: str | None = None
    inputs: list[InputSpec] = Field([], max_length=MAX_INPUTS)
    outputs: list[OutputSpec] = Field([], max_length=MAX_INPUTS)
    container_config: dict[str, JsonValue] = {}
    source: KeptSource | None = None
    sealed_deploy_key: str | None = Field(None, max_length=MAX_SEALED)

    def subject(self) -> str:
        return f"steps/{self.step_name}"


class StepUpdateRequested(CommandData):
    """Ask for a step to be built anew; what is left out stays, and `container_config` is merged key by key."""

    step_name: Name
    function_path: str | None = Field(None, min_length=1, max_length=4096)
    function_name: str | None = Field(None, min_length=1, max_length=255)
    description: str | None = None
    inputs: list[InputSpec] | None = Field(None, max_length=MAX_INPUTS)
    outputs: list[OutputSpec] | None = Field(None, max_length=MAX_INPUTS)
    container_config: dict[str, JsonValue] = {}
    sealed_deploy_key: str | None = Field(None, max_length=MAX_SEALED)

    def subject(self) -> str:
        return f"steps/{self.step_name}"


class StepBuildReported(CommandData):
    """Report what a builder found for the step that the command `requested_by` asked for.

    `failure_code` is one of the codes of failed builds; `source` names what is kept of a good one.
    """

    step_name: Name
    requested_by: str
    outcome: Literal["ready", "failed"]
    commit_id: str | None = None
    origin: str | None = None
    reason: str | None = None
    failure_code: str | None = None
    source: KeptSource | None = None

    def subject(self) -> str:
        return f"steps/{self.step_name}"


class StepDeleteRequested(CommandData):
    """Ask for a step's deletion; forced, its pipelines and their deployments go with it."""

    step_name: Name
    force_dependents_deletion: bool = False

    def subject(self) -> str:
        return f"steps/{self.step_name}"


class PipelineRequested(CommandData):
    """Ask for a pipeline on steps that are Ready. One step for now; `connections` is empty for now."""

    pipeline_name: Name
    step_names: list[Name]
    connections: list[dict[str, JsonValue]] = []

    def subject(self) -> str:
        return f"pipelines/{self.pipeline_name}"


class PipelineDeleteRequested(CommandData):
    """Ask for a pipeline's deletion; forced, its deployments go with it.

    `expected_version` (from an ETag) refuses the deletion of a pipeline that is not the one that was read.
    """

    pipeline_name: Name
    force_deployments_deletion: bool = False
    expected_version: int | None = None

    def subject(self) -> str:
        return f"pipelines/{self.pipeline_name}"


class DeploymentRequested(CommandData):
    """Ask for a deployment of a pipeline: an endpoint, or periodic by a schedule of five cron fields in UTC."""

    derived: ClassVar[set[str]] = {"endpoint_token_hash"}

    name: Name
    pipeline_name: Name
    execution_rule: ExecutionRule
    mode: Literal["elastic", "low_latency"] = "elastic"
    description: str | None = None
    schedule: str | None = None
    inputs_mapping: list[dict[str, JsonValue]] = []
    outputs_mapping: list[dict[str, JsonValue]] = []
    endpoint_token_hash: str | None = None

    def subject(self) -> str:
        return f"deployments/{self.name}"


class DeploymentDeleteRequested(CommandData):
    """Ask for a deployment's deletion."""

    name: Name

    def subject(self) -> str:
        return f"deployments/{self.name}"


COMMANDS: dict[str, type[CommandData]] = {
    model.__name__: model
    for model in (
        StepRequested,
        StepUpdateRequested,
        StepBuildReported,
        StepDeleteRequested,
        PipelineRequested,
        PipelineDeleteRequested,
        DeploymentRequested,
        DeploymentDeleteRequested,
    )
}

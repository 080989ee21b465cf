"""Commands: what producers ask for. Each one ends in exactly one result."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, JsonValue

from events.declarations import ContainerConfig, Inputs, Outputs
from events.mappings import InputMapping, OutputMapping
from events.model import Model, Versioned
from events.names import Name, VariableName
from events.patterns import Pattern
from events.resources import ExecutionRule, KeptSource, Mode

# Every input stands in the events of the pipelines that take it over, and these have to fit into one record.
MAX_INPUTS = 1_000
MAX_DESCRIPTION = 10_000
MAX_VARIABLES = 1_000
MAX_SEALED = 64 * 1024
HASH = Pattern(r"^[0-9a-f]{64}$", "be 64 hexadecimal digits in small letters")
RAM = Pattern(r"^[1-9][0-9]{0,8}(\.[0-9]{1,3})?(KiB|MiB|GiB)$", "be a number and KiB, MiB or GiB, as in 512MiB")

TokenHash = Annotated[str, HASH]


class CommandData(Versioned):
    """The data of a command; its type's name is the class's name."""

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
    inputs: Inputs = Field([], max_length=MAX_INPUTS)
    outputs: Outputs = Field([], max_length=MAX_INPUTS)
    container_config: ContainerConfig = {}
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
    inputs: Inputs | None = Field(None, max_length=MAX_INPUTS)
    outputs: Outputs | None = Field(None, max_length=MAX_INPUTS)
    container_config: ContainerConfig = {}
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
    """Ask for a deployment of a pipeline: an endpoint, or periodic by a schedule of five cron fields in UTC.

    An endpoint maps what is left out to endpoint inputs and outputs of the same name; a periodic one maps everything.
    """

    derived: ClassVar[set[str]] = {"endpoint_token_hash"}

    name: Name
    pipeline_name: Name
    execution_rule: ExecutionRule
    mode: Mode = "elastic"
    description: str | None = Field(None, max_length=MAX_DESCRIPTION)
    schedule: str | None = Field(None, max_length=255)
    inputs_mapping: list[InputMapping] = Field([], max_length=MAX_INPUTS)
    outputs_mapping: list[OutputMapping] = Field([], max_length=MAX_INPUTS)
    enable_parallel_executions: bool | None = None
    max_parallel_executions_per_pod: int | None = Field(None, ge=1, le=1000)
    ram_request: Annotated[str, Field(max_length=20), RAM] | None = Field(None, examples=["512MiB"])
    gpu_request: int | None = Field(None, ge=0, le=1000)
    endpoint_token_hash: TokenHash | None = Field(None, description="SHA-256 of the token, in hex")

    def subject(self) -> str:
        return f"deployments/{self.name}"


class EndpointTokenRequested(CommandData):
    """Ask that an endpoint is called with a new token, of which only the hash travels; the old one ends at once."""

    derived: ClassVar[set[str]] = {"endpoint_token_hash"}

    name: Name
    endpoint_token_hash: TokenHash = Field(description="SHA-256 of the token, in hex")

    def subject(self) -> str:
        return f"deployments/{self.name}"


class DeploymentDeleteRequested(CommandData):
    """Ask for a deployment's deletion."""

    name: Name

    def subject(self) -> str:
        return f"deployments/{self.name}"


class SealedValue(Model):
    """A variable's value, sealed by the command service: clear text has no way into Kafka."""

    name: VariableName
    sealed_value: str = Field(min_length=1, max_length=MAX_SEALED)


class EnvironmentVariablesRequested(CommandData):
    """Ask that variables have these values, whether they exist or not. Values come sealed, so ask over HTTP."""

    environment_variables: list[SealedValue] = Field(min_length=1, max_length=MAX_VARIABLES)

    def subject(self) -> str:
        return "environment-variables"


class EnvironmentVariableDeleteRequested(CommandData):
    """Ask for a variable's deletion; deployments that name it stay."""

    name: VariableName

    def subject(self) -> str:
        return f"environment-variables/{self.name}"


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
        EndpointTokenRequested,
        EnvironmentVariablesRequested,
        EnvironmentVariableDeleteRequested,
    )
}

"""The resources of an environment as events carry them and as the decider sees them."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, JsonValue

from events.mappings import InputMapping, OutputMapping
from events.model import Model
from events.names import Name, VariableName
from events.patterns import DIGEST

DataType = Literal["string", "number", "boolean", "json", "array", "file"]
ExecutionRule = Literal["endpoint", "periodic"]
Mode = Literal["elastic", "low_latency"]
# The options of a deployment that only the mode low_latency has.
LOW_LATENCY_OPTIONS = ("enable_parallel_executions", "max_parallel_executions_per_pod", "ram_request", "gpu_request")
# The origin of a step whose code was uploaded.
LOCAL_ORIGIN = "local"
Timestamp = Annotated[
    str, Field(description="UTC, ISO 8601 with milliseconds and Z", examples=["2026-01-31T12:00:00.000Z"])
]


KeptSource = Annotated[str, DIGEST, Field(description="The source's archive in the object store, by its digest")]


class StepStatus(StrEnum):
    """Where a step is between its request and its use."""

    PENDING = "Pending"
    READY = "Ready"
    FAILED = "Failed"


class InputSpec(Model):
    """One declared input of a step."""

    name: str = Field(min_length=1, max_length=255)
    data_type: DataType
    description: str | None = None
    is_required: bool = False
    default_value: JsonValue = None


class OutputSpec(Model):
    """One declared output of a step."""

    name: str = Field(min_length=1, max_length=255)
    data_type: DataType
    description: str | None = None


class Step(Model):
    """A step: code with declared inputs and outputs, usable once Ready."""

    step_name: Name
    function_path: str
    function_name: str
    description: str | None
    inputs: list[InputSpec]
    outputs: list[OutputSpec]
    container_config: dict[str, JsonValue]
    status: Annotated[StepStatus, Field(strict=False)]
    requested_by: Annotated[str, Field(description="Id of the command that asked for the build; its report names it")]
    created_at: Timestamp
    created_by: str
    updated_at: Timestamp
    commit_id: str | None = None
    origin: str | None = None
    failure: Annotated[str | None, Field(description="Why the build failed, and what to mend")] = None
    failure_code: Annotated[str | None, Field(description="The stable code of that")] = None
    source: KeptSource | None = None
    sealed_deploy_key: Annotated[str | None, Field(description="Only holders of the sealing key can open it")] = None


class PipelineInput(Model):
    """An open input of a pipeline, taken over from the step that provides it."""

    input_name: str
    step_name: str
    data_type: DataType
    description: str | None
    default_value: JsonValue
    is_required: bool


class PipelineOutput(Model):
    """An open output of a pipeline, taken over from the step that provides it."""

    output_name: str
    step_name: str
    data_type: DataType
    description: str | None


class Pipeline(Model):
    """A pipeline: steps composed into something that can be deployed."""

    pipeline_name: Name
    step_names: list[str]
    connections: list[dict[str, JsonValue]]
    inputs: list[PipelineInput]
    outputs: list[PipelineOutput]
    status: Literal["Ready"]
    created_at: Timestamp
    created_by: str


class DeploymentInput(InputMapping):
    """How an input of the pipeline is mapped; for an endpoint's the effective `is_required` and `default_value`."""

    data_type: DataType
    description: str | None = None


class DeploymentOutput(OutputMapping):
    """How an output of the pipeline is mapped."""

    data_type: DataType
    description: str | None = None


class Deployment(Model):
    """A pipeline put into production, by an endpoint or a schedule. Every input and output is mapped."""

    name: Name
    pipeline_name: str
    execution_rule: ExecutionRule
    mode: Mode
    description: str | None
    schedule: str | None
    inputs_mapping: list[DeploymentInput]
    outputs_mapping: list[DeploymentOutput]
    enable_parallel_executions: bool | None = None
    max_parallel_executions_per_pod: int | None = None
    ram_request: str | None = None
    gpu_request: int | None = None
    endpoint_token_hash: str | None
    created_at: Timestamp
    created_by: str
    updated_at: Timestamp
    updated_by: str


class EnvironmentVariable(Model):
    """A value that mappings name, sealed: only holders of the sealing key can open it."""

    name: VariableName
    sealed_value: str
    created_at: Timestamp
    created_by: str
    updated_at: Timestamp
    updated_by: str


class DeploymentRef(Model):
    """What an answer says of a deployment that was deleted with something else."""

    name: str
    execution_rule: ExecutionRule

"""The shapes of the documents that clients read, for the OpenAPI document.

Documents are stored and sent as text (services/kit/documents.py): nothing is validated by these shapes while a request
is answered. Tests hold real answers to them.
"""

from typing import Annotated, Literal, NotRequired

from pydantic import Field, JsonValue
from typing_extensions import TypedDict

from events.resources import DataType, ExecutionRule, InputSpec, Mode, OutputSpec, PipelineInput, PipelineOutput
from events.resources import Timestamp as Time

StepStatus = Annotated[
    Literal["Pending", "Ready", "Failed", "creation_pending", "ready", "creation_failed"],
    Field(description="The last three are how craft-ai-sdk from 0.50 on reads Pending, Ready and Failed"),
]
EndpointToken = Annotated[str, Field(description="What the endpoint is called with; told in this answer only")]


class StepParameters(TypedDict):
    """What a step was asked for with."""

    step_name: str
    function_path: str
    function_name: str
    description: str | None
    inputs: list[InputSpec]
    outputs: list[OutputSpec]
    container_config: dict[str, JsonValue]


class StepCreation(TypedDict):
    """What became of a step; `failure` and its code are there when its build failed."""

    created_at: Time
    updated_at: Time
    commit_id: str | None
    status: StepStatus
    origin: str | None
    failure: NotRequired[str]
    failure_code: NotRequired[str | None]


class StepPage(TypedDict):
    """A step."""

    parameters: StepParameters
    creation_info: StepCreation


class StepEntry(TypedDict):
    """A step in a list."""

    step_name: str
    status: StepStatus
    created_at: Time
    updated_at: Time
    commit_id: str | None
    origin: str | None
    repository_url: JsonValue
    repository_branch: JsonValue


class StepGone(TypedDict):
    """A step that was deleted."""

    step_name: str


class PipelinePage(TypedDict):
    """A pipeline. Inputs and outputs stand under both of the names that client versions read."""

    pipeline_name: str
    created_at: Time
    created_by: str
    last_execution_id: None
    status: Literal["Ready"]
    steps: list[str]
    inputs: list[PipelineInput]
    outputs: list[PipelineOutput]
    open_inputs: list[PipelineInput]
    open_outputs: list[PipelineOutput]


class PipelineEntry(TypedDict):
    """A pipeline in a list."""

    pipeline_name: str
    created_at: Time
    status: Literal["Ready"]


class Named(TypedDict):
    """What a name is told of."""

    name: str


class DeploymentGone(TypedDict):
    """A deployment that was deleted."""

    name: str
    execution_rule: ExecutionRule


class PipelineGone(TypedDict):
    """A pipeline that was deleted, with the deployments that went with it."""

    pipeline: Named
    deployments: list[DeploymentGone]


class MappedInput(TypedDict):
    """Where an input comes from: the one source that is there."""

    step_input_name: str
    pipeline_input_name: str
    data_type: DataType
    description: str | None
    endpoint_input_name: NotRequired[str]
    is_required: NotRequired[bool | None]
    default_value: NotRequired[JsonValue]
    constant_value: NotRequired[JsonValue]
    environment_variable_name: NotRequired[str]
    is_null: NotRequired[Literal[True]]
    datastore_path: NotRequired[str]


class MappedOutput(TypedDict):
    """Where an output goes: the one destination that is there."""

    step_output_name: str
    pipeline_output_name: str
    data_type: DataType
    description: str | None
    endpoint_output_name: NotRequired[str]
    is_null: NotRequired[Literal[True]]
    datastore_path: NotRequired[str]


class DeploymentPage(TypedDict):
    """A deployment. The fields about parallel executions, memory and pods are those of a `low_latency` one."""

    name: str
    execution_rule: ExecutionRule
    mode: Mode
    description: str | None
    schedule: str | None
    human_readable_schedule: str | None
    created_at: Time
    created_by: str
    updated_at: Time
    updated_by: str
    pipeline: Named
    inputs_mapping: list[MappedInput]
    outputs_mapping: list[MappedOutput]
    last_execution_id: None
    is_enabled: Literal[True]
    active: Literal[True]
    status: Annotated[Literal["standby", "up"], Field(description="`up` for a client that waits for the creation")]
    update_status: Literal["success"]
    enable_parallel_executions: NotRequired[bool | None]
    max_parallel_executions_per_pod: NotRequired[int | None]
    ram_request: NotRequired[str | None]
    gpu_request: NotRequired[int | None]
    pods: NotRequired[list[JsonValue]]
    endpoint_token: NotRequired[EndpointToken]


class DeploymentEntry(TypedDict):
    """A deployment in a list."""

    name: str
    pipeline_name: str
    execution_rule: ExecutionRule
    mode: Mode
    created_at: Time
    is_enabled: Literal[True]
    type: ExecutionRule
    version: None
    executions_count: int


class Schedule(TypedDict):
    """When a periodic deployment comes due."""

    name: str
    schedule: str
    human_readable_schedule: str
    next_times: list[Time]


class NewToken(TypedDict):
    """A new token of an endpoint; null when its signing key is gone since."""

    endpoint_token: str | None


class VariableValue(TypedDict):
    """An environment variable and its value."""

    name: str
    value: str


class VariableSet(TypedDict):
    """An environment variable that was set; its value is not repeated."""

    name: str
    created_at: Time
    created_by: str
    updated_at: Time
    updated_by: str


class VariablesSet(TypedDict):
    """The environment variables that were set."""

    environment_variables: list[VariableSet]


class User(TypedDict):
    """A user."""

    id: str
    name: str
    email: str


class AccessToken(TypedDict):
    """A short-lived token for the Authorization header."""

    access_token: str


class PublicKeys(TypedDict):
    """A JSON Web Key Set (RFC 7517)."""

    keys: list[dict[str, str]]

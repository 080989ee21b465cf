"""The shapes of what is told of deployments, for the OpenAPI document (as services/kit/shapes.py)."""

from typing import Annotated, Literal, NotRequired

from pydantic import Field, JsonValue
from typing_extensions import TypedDict

from events.resources import DataType, ExecutionRule, Mode
from events.resources import Timestamp as Time
from services.kit.shapes import Named

EndpointToken = Annotated[str, Field(description="What the endpoint is called with; told in this answer only")]


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

"""The shapes of answers, key by key. They are dicts at run time and may hold more keys than stand here."""

from typing import Any, Literal, NotRequired, TypedDict


class User(TypedDict):
    """Who a token belongs to."""

    id: str
    name: str
    email: str | None


class StepInput(TypedDict):
    """A declared input of a step's function."""

    name: str
    data_type: str
    description: str | None
    is_required: bool
    default_value: Any


class StepOutput(TypedDict):
    """A declared output of a step's function."""

    name: str
    data_type: str
    description: str | None


class StepParameters(TypedDict):
    """What was asked for when the step was created."""

    step_name: str
    function_path: str
    function_name: str
    description: str | None
    container_config: dict[str, Any]
    inputs: list[StepInput]
    outputs: list[StepOutput]


class StepCreation(TypedDict):
    """What became of the step's code. `failure` and its code are there when it could not be built."""

    status: str
    created_at: str
    updated_at: str
    commit_id: str | None
    origin: str | None
    failure: NotRequired[str]
    failure_code: NotRequired[str]


class Step(TypedDict):
    """A step's page."""

    parameters: StepParameters
    creation_info: StepCreation


class StepSummary(TypedDict):
    """A step in the list."""

    step_name: str
    status: str
    created_at: str
    updated_at: str
    commit_id: str | None
    origin: str | None
    repository_url: str | None
    repository_branch: str | None


class DeletedStep(TypedDict):
    """The answer to a step's deletion."""

    step_name: str


class PipelineInput(TypedDict):
    """An input of a pipeline, and the step that takes it."""

    input_name: str
    step_name: str
    data_type: str
    description: str | None
    default_value: Any
    is_required: bool


class PipelineOutput(TypedDict):
    """An output of a pipeline, and the step that gives it."""

    output_name: str
    step_name: str
    data_type: str
    description: str | None


class Pipeline(TypedDict):
    """A pipeline's page."""

    pipeline_name: str
    created_at: str
    created_by: str
    last_execution_id: str | None
    status: str
    steps: list[str]
    inputs: list[PipelineInput]
    outputs: list[PipelineOutput]


class PipelineSummary(TypedDict):
    """A pipeline in the list."""

    pipeline_name: str
    created_at: str
    status: str


class DeploymentRef(TypedDict):
    """A deployment that is gone: the answer to its deletion, and an entry in that of its pipeline."""

    name: str
    execution_rule: str


class Named(TypedDict):
    """A resource by its name alone."""

    name: str


class DeletedPipeline(TypedDict):
    """The answer to a pipeline's deletion: it, and the deployments that went with it."""

    pipeline: Named
    deployments: list[DeploymentRef]


class Deployment(TypedDict):
    """A deployment's page. `endpoint_token` is in the answer that creates an endpoint; options go with low_latency."""

    name: str
    pipeline: Named
    execution_rule: str
    mode: str
    description: str | None
    schedule: str | None
    human_readable_schedule: str | None
    inputs_mapping: list[dict[str, Any]]
    outputs_mapping: list[dict[str, Any]]
    created_at: str
    created_by: str
    updated_at: str
    updated_by: str
    last_execution_id: str | None
    is_enabled: bool
    status: str
    endpoint_token: NotRequired[str]
    enable_parallel_executions: NotRequired[bool]
    max_parallel_executions_per_pod: NotRequired[int | None]
    ram_request: NotRequired[str | None]
    gpu_request: NotRequired[int | None]
    pods: NotRequired[list[dict[str, Any]]]


class DeploymentSummary(TypedDict):
    """A deployment in the list."""

    name: str
    pipeline_name: str
    execution_rule: str
    mode: str
    is_enabled: bool
    created_at: str


class Schedule(TypedDict):
    """When a periodic deployment comes due: five cron fields, the same in words, and the next times, all in UTC."""

    name: str
    schedule: str
    human_readable_schedule: str
    next_times: list[str]


class EndpointToken(TypedDict):
    """The new token of an endpoint."""

    endpoint_token: str


class LogLine(TypedDict):
    """A line of a log."""

    timestamp: str
    message: str


class EnvironmentVariable(TypedDict):
    """A variable of the environment."""

    name: str
    value: str


class DeletedEnvironmentVariable(TypedDict):
    """The answer to a variable's deletion; `value` is None when the key that sealed it is gone."""

    name: str
    value: str | None


class Webhook(TypedDict):
    """Who is told of events; `types` is None for all. Its `secret` is in the answer to its creation only."""

    id: str
    url: str
    types: list[str] | None
    subject: str
    status: Literal["enabled", "disabled"]
    disabled_reason: str | None
    disabled_at: str | None
    failing_since: str | None
    created_by: str
    created_at: str
    secret: NotRequired[str]


class DeletedWebhook(TypedDict):
    """The answer to a webhook's deletion."""

    id: str


class WebhookDelivery(TypedDict):
    """An event on its way to a webhook."""

    sequence: int
    event_id: str
    type: str
    subject: str
    status: Literal["pending", "delivered", "failed"]
    attempts: int
    next_attempt_at: str | None
    last_attempt_at: str | None
    last_status_code: int | None
    last_error: str | None


class Refusal(TypedDict):
    """Why a command was rejected."""

    code: str
    message: str
    details: dict[str, Any]


class Command(TypedDict):
    """What became of a command: `result` when it succeeded, `refusal` when it was rejected."""

    command_id: str
    status: Literal["succeeded", "rejected", "unknown"]
    type: NotRequired[str]
    subject: NotRequired[str]
    time: NotRequired[str]
    sequence: NotRequired[int]
    traceparent: NotRequired[str | None]
    command_type: NotRequired[str]
    result: NotRequired[dict[str, Any]]
    refusal: NotRequired[Refusal]
    message: NotRequired[str]


class HistoryEntry(TypedDict):
    """Something that happened to a resource, with the resource before and after, or was refused about it."""

    sequence: int
    time: str
    type: str
    status: Literal["succeeded", "rejected"]
    actor: str
    command_id: str
    command_type: str | None
    command_subject: str
    command_source: str
    traceparent: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    refusal: Refusal | None


class CommandSummary(TypedDict):
    """A command in the list."""

    command_id: str
    command_type: str | None
    status: Literal["succeeded", "rejected"]
    subject: str
    actor: str
    command_source: str
    time: str
    decided_at: str | None
    sequence: int
    type: str
    traceparent: str | None
    refusal: Refusal | None


class DeadLetterSummary(TypedDict):
    """A dead letter in the list: a record that was no command, why, and what became of it since."""

    id: str
    status: Literal["open", "replayed", "discarded"]
    code: str
    message: str
    received_at: str
    command_id: str | None
    environment: str | None
    source: str | None
    type: str | None
    value_bytes: int
    settled_at: str | None
    settled_by: str | None
    replayed_as: str | None


class Bytes(TypedDict):
    """Bytes as base64, and as text where they are UTF-8."""

    text: str | None
    base64: str


class Header(TypedDict):
    """A header of a record."""

    name: str
    value: str


class DeadLetter(DeadLetterSummary):
    """A dead letter with what is kept of the record."""

    key: Bytes | None
    value: Bytes | None
    headers: list[Header]


class Latency(TypedDict):
    """How long commands took, in milliseconds; None when there were none."""

    p50: float | None
    p95: float | None
    p99: float | None


class MinuteActivity(TypedDict):
    """The results of one minute."""

    minute: str
    results: int
    refused: int
    latency_ms: Latency


class TypeActivity(TypedDict):
    """The results of one command type; `refused` by code."""

    command_type: str
    results: int
    refused: dict[str, int]
    latency_ms: Latency
    per_minute: list[MinuteActivity]


class OverdueCommand(TypedDict):
    """A command that has had no result for too long."""

    command_id: str
    command_type: str
    asked_at: str


class PartActivity(TypedDict):
    """How many records a part had not worked off."""

    part: str
    behind: int
    measured_at: str


class Activity(TypedDict):
    """What the monitor knew of the environment `as_of` a moment; `stale` when that is long ago."""

    as_of: str | None
    stale: bool
    minutes: int
    open: int
    overdue: int
    overdue_commands: list[OverdueCommand]
    types: list[TypeActivity]
    parts: list[PartActivity]

"""The shapes of the documents that clients read, for the OpenAPI document.

Documents are stored and sent as text (services/kit/documents.py): nothing is validated by these shapes while a request
is answered. Tests hold real answers to them.
"""

from typing import Annotated, Literal, NotRequired

from pydantic import Field, JsonValue
from typing_extensions import TypedDict

from events.resources import ExecutionRule, InputSpec, OutputSpec, PipelineInput, PipelineOutput
from events.resources import Timestamp as Time

StepStatus = Annotated[
    Literal["Pending", "Ready", "Failed", "creation_pending", "ready", "creation_failed"],
    Field(description="The last three are how craft-ai-sdk from 0.50 on reads Pending, Ready and Failed"),
]


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


class VariableValue(TypedDict):
    """An environment variable and its value."""

    name: str
    value: str


class VariableGone(TypedDict):
    """An environment variable that was deleted."""

    name: str
    value: Annotated[str | None, Field(description="Its last value; null when the key that sealed it is gone")]


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

"""What the OpenAPI document says of each command: its body, its answers and its refusals."""

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, Field

from events.commands import MAX_VARIABLES, DeploymentRequested, PipelineRequested, StepRequested, StepUpdateRequested
from events.names import VariableName
from events.refusals import Code
from services.command.bodies import FORM_TYPE, JSON_TYPE
from services.command.described import body_of
from services.command.uploads import ARCHIVE
from services.kit import examples
from services.kit.deployment_shapes import DeploymentPage, NewToken
from services.kit.described import LATER, OF_BODIES, OF_COMMANDS, Described, Told, described
from services.kit.parameters import CLIENT, IDEMPOTENCY_KEY, IF_MATCH, PREFER
from services.kit.shapes import (
    DeploymentGone,
    PipelineGone,
    PipelinePage,
    StepGone,
    StepPage,
    VariableGone,
    VariablesSet,
)
from services.kit.web import MULTIPART

OURS = ("source", "sealed_deploy_key")
CREATED = ("Location", "ETag", "Pipeloom-Command-Id")
DONE = ("Pipeloom-Command-Id",)
SECRET = ("Pipeloom-Command-Id", "Cache-Control")


class Variables(BaseModel):
    """Variables and their values, in the clear on the way here and nowhere behind."""

    environment_variables: dict[VariableName, str] = Field(
        min_length=1, max_length=MAX_VARIABLES, json_schema_extra={"additionalProperties": False}
    )


class Value(BaseModel):
    """The value of the variable that the address names."""

    value: str


def _command(
    *told: Told,
    refuses: Iterable[Code],
    body: dict[str, Any] | None = None,
    parameters: Iterable[dict[str, Any]] = (),
) -> Described:
    return described(
        *told,
        LATER,
        refuses=[*OF_COMMANDS, *(OF_BODIES if body else ()), *refuses],
        parameters=[PREFER, IDEMPOTENCY_KEY, *parameters],
        body=body,
    )


def _links(name: str, value: str, **operations: str) -> dict[str, Any]:
    """Return links to operations on what was created, whose address has `value` of the answer as `name`."""
    parameters = {name: f"$response.body#/{value}"}
    return {link: {"operationId": operation, "parameters": parameters} for link, operation in operations.items()}


def _step_body() -> dict[str, Any]:
    described = body_of(StepRequested, examples.NEW_STEP, JSON_TYPE, FORM_TYPE, MULTIPART, without=OURS)
    content = described["requestBody"]["content"]
    schema = content[MULTIPART]["schema"]
    file = {"type": "string", "format": "binary", "description": "The source: a gzip tar of a folder"}
    content[MULTIPART] = {
        "schema": {**schema, "properties": {**schema["properties"], ARCHIVE: file}},
        "example": {**examples.NEW_STEP, "container_config": {}, ARCHIVE: "the bytes of train.tgz"},
    }
    return described


_PENDING = "Accepted, and Pending until a builder has been at it"
_STEP_LINKS = _links("step_name", "parameters/step_name", get="get_step", update="update_step", delete="delete_step")
_PIPELINE_LINKS = _links("pipeline_name", "pipeline_name", get="get_pipeline", delete="delete_pipeline")
_DEPLOYMENT_LINKS = _links("deployment_name", "name", get="get_deployment", delete="delete_deployment")

CREATE_STEP = _command(
    Told(206, StepPage, examples.PENDING_STEP_PAGE, _PENDING, CREATED, _STEP_LINKS),
    Told(201, StepPage, examples.STEP_PAGE, "Waited for, and Ready", CREATED, _STEP_LINKS),
    Told(200, StepPage, examples.FAILED_STEP_PAGE, "Waited for, and its build failed", CREATED),
    body=_step_body(),
    refuses=[
        Code.STEP_EXISTS,
        Code.STEP_IN_USE,
        Code.STEP_FAILED,
        Code.STEP_NOT_FOUND,
        Code.INVALID_PARAMETER,
        Code.INVALID_ARCHIVE,
        Code.UNSAFE_ARCHIVE,
        Code.ARCHIVE_TOO_LARGE,
        Code.SECRET_IN_THE_CLEAR,
        Code.STORE_UNAVAILABLE,
        Code.POSTGRES_UNAVAILABLE,
    ],
    parameters=[CLIENT],
)
UPDATE_STEP = _command(
    Told(200, StepPage, examples.PENDING_STEP_PAGE, _PENDING, CREATED),
    body=body_of(StepUpdateRequested, {"function_name": "train_faster"}, JSON_TYPE, without=("step_name", *OURS)),
    refuses=[Code.STEP_NOT_FOUND, Code.STEP_IN_USE, Code.SECRET_IN_THE_CLEAR],
    parameters=[CLIENT],
)
DELETE_STEP = _command(
    Told(200, StepGone, {"step_name": "train"}, "The step is gone", DONE),
    refuses=[Code.STEP_NOT_FOUND, Code.STEP_IN_USE, Code.TOO_MANY_DEPENDENTS, Code.INVALID_PARAMETER],
)

CREATE_PIPELINE = _command(
    Told(201, PipelinePage, examples.PIPELINE_PAGE, "The pipeline, which everyone can read", CREATED, _PIPELINE_LINKS),
    body=body_of(PipelineRequested, examples.NEW_PIPELINE, JSON_TYPE),
    refuses=[
        Code.PIPELINE_EXISTS,
        Code.STEP_NOT_FOUND,
        Code.STEP_NOT_READY,
        Code.STEP_FAILED,
        Code.SINGLE_STEP_ONLY,
        Code.STEPLESS_PIPELINE,
    ],
)
DELETE_PIPELINE = _command(
    Told(
        200,
        PipelineGone,
        {"pipeline": {"name": "churn"}, "deployments": [{"name": "churn-api", "execution_rule": "endpoint"}]},
        "The pipeline is gone, and the deployments that it took along",
        DONE,
    ),
    refuses=[
        Code.PIPELINE_NOT_FOUND,
        Code.PIPELINE_IN_USE,
        Code.PRECONDITION_FAILED,
        Code.TOO_MANY_DEPENDENTS,
        Code.INVALID_PARAMETER,
    ],
    parameters=[IF_MATCH],
)


def _deployment(page: Any, example: Any, *refuses: Code) -> Described:
    return _command(
        Told(201, DeploymentPage, page, "The deployment", CREATED, _DEPLOYMENT_LINKS),
        body=body_of(DeploymentRequested, example, JSON_TYPE, without=("execution_rule", "endpoint_token_hash")),
        refuses=[
            Code.DEPLOYMENT_EXISTS,
            Code.PIPELINE_NOT_FOUND,
            Code.ENVIRONMENT_VARIABLE_NOT_FOUND,
            Code.INVALID_SCHEDULE,
            Code.INVALID_OPTION,
            Code.INVALID_MAPPING,
            Code.UNKNOWN_MAPPING,
            Code.DUPLICATE_MAPPING,
            *refuses,
        ],
    )


CREATE_ENDPOINT = _deployment(examples.NEW_ENDPOINT_PAGE, examples.NEW_ENDPOINT)
CREATE_PERIODIC_DEPLOYMENT = _deployment(examples.PERIODIC_PAGE, examples.NEW_PERIODIC, Code.MISSING_MAPPING)
DELETE_DEPLOYMENT = _command(
    Told(200, DeploymentGone, {"name": "churn-api", "execution_rule": "endpoint"}, "The deployment is gone", DONE),
    refuses=[Code.DEPLOYMENT_NOT_FOUND],
)
GENERATE_NEW_TOKEN = _command(
    Told(200, NewToken, {"endpoint_token": examples.SECRET}, "The new token; the old one has ended", SECRET),
    refuses=[Code.DEPLOYMENT_NOT_FOUND, Code.WRONG_EXECUTION_RULE, Code.PAYLOAD_TOO_LARGE],
)

_SET = Told(
    200,
    VariablesSet,
    {"environment_variables": [{"name": "API_KEY", **examples.TIMES}]},
    "What was set, without the values",
    DONE,
)
SET_ENVIRONMENT_VARIABLES = _command(
    _SET,
    body=body_of(Variables, {"environment_variables": {"API_KEY": "example"}}, JSON_TYPE),
    refuses=[],
)
SET_ENVIRONMENT_VARIABLE = _command(_SET, body=body_of(Value, {"value": "example"}, FORM_TYPE), refuses=[])
DELETE_ENVIRONMENT_VARIABLE = _command(
    Told(200, VariableGone, {"name": "API_KEY", "value": "example"}, "The variable is gone", SECRET),
    refuses=[Code.ENVIRONMENT_VARIABLE_NOT_FOUND],
)

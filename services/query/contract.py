"""What the OpenAPI document says of each read: its answers, its refusals and the headers that it heeds."""

from collections.abc import Iterable
from typing import Any

from events.refusals import Code
from services.kit import examples
from services.kit.activity_shapes import Activity
from services.kit.command_shapes import Rejected, Succeeded, Unknown
from services.kit.deployment_shapes import DeploymentEntry, DeploymentPage, Schedule
from services.kit.described import OF_ASKERS, OF_BODIES, OF_LISTS, OF_READS, Described, Told, described
from services.kit.parameters import CLIENT, IF_NONE_MATCH
from services.kit.shapes import (
    AccessToken,
    PipelineEntry,
    PipelinePage,
    PublicKeys,
    StepEntry,
    StepPage,
    User,
    VariableValue,
)

NO_EXECUTION = Told(204, None, None, "Nothing was executed so far")
A_LOG_LINE = {"timestamp": examples.AT, "message": f"The step was asked for by {examples.USER_ID}."}
A_SUCCESS = {
    "command_id": examples.COMMAND_ID,
    "type": "StepDeleted",
    "subject": "steps/train",
    "time": examples.LATER,
    "sequence": 17,
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "status": "succeeded",
    "result": {"step": examples.STEP.model_dump(mode="json"), "pipelines": [], "deployments": []},
}
A_FILE = {"application/gzip": {"schema": {"type": "string", "format": "binary"}}}
SOME_EVENTS = (
    "id: 41\nretry: 1000\n\n"
    'event: PipelineCreated\ndata: {"specversion": "1.0", "type": "pipeloom.PipelineCreated.v1", …}\nid: 42\n\n'
    ": heartbeat\nid: 42\n\n"
)
A_STREAM = {"text/event-stream": {"schema": {"type": "string"}, "example": SOME_EVENTS}}
SOME_LATENCY = {"p50": 4.8, "p95": 11.3, "p99": 24.7}
AN_ACTIVITY = {
    "as_of": examples.LATER,
    "stale": False,
    "minutes": 60,
    "open": 1,
    "overdue": 1,
    "overdue_commands": [
        {
            "command_id": examples.COMMAND_ID,
            "command_type": "StepDeleteRequested",
            "asked_at": "2026-01-31T11:59:00.000Z",
        }
    ],
    "types": [
        {
            "command_type": "PipelineRequested",
            "results": 41,
            "refused": {"pipeline_exists": 2},
            "latency_ms": SOME_LATENCY,
            "per_minute": [{"minute": examples.AT, "results": 41, "refused": 2, "latency_ms": SOME_LATENCY}],
        }
    ],
    "parts": [{"part": "composer", "behind": 0, "measured_at": examples.LATER}],
}
AN_UNKNOWN_COMMAND = {
    "command_id": examples.COMMAND_ID,
    "status": "unknown",
    "message": "There is no result under this id: the command is still on its way, was never sent, or is so old "
    "that it is no longer kept.",
}


def _list(
    entry: Any,
    example: Any,
    *headers: str,
    refuses: Iterable[Code] = (),
    parameters: Iterable[dict[str, Any]] = (),
) -> Described:
    told = Told(200, list[entry], [example], "All of them, or a page when there is a limit", ("Link", *headers))
    return described(told, refuses=[*OF_LISTS, Code.ENVIRONMENT_OVERLOADED, *refuses], parameters=parameters)


def _page(shape: Any, example: Any, *refuses: Code, parameters: Iterable[dict[str, Any]] = ()) -> Described:
    return described(
        Told(200, shape, example, "The page", ("ETag",)),
        Told(304, None, None, "The client has this version already", ("ETag",)),
        refuses=[*OF_READS, *refuses],
        parameters=[IF_NONE_MATCH, *parameters],
    )


def _log(*refuses: Code) -> Described:
    # The shape is the route's own.
    told = Told(200, None, [A_LOG_LINE], "The lines of the range, the oldest first")
    return described(told, refuses=[*OF_READS, *OF_BODIES, *refuses])


LIST_PIPELINES = _list(PipelineEntry, examples.PIPELINE_ENTRY)
GET_PIPELINE = _page(PipelinePage, examples.PIPELINE_PAGE, Code.PIPELINE_NOT_FOUND)
GET_PIPELINE_EXECUTION = described(NO_EXECUTION, refuses=[*OF_READS, Code.PIPELINE_NOT_FOUND])
GET_PIPELINE_LOGS = _log(Code.PIPELINE_NOT_FOUND)

LIST_STEPS = _list(StepEntry, examples.STEP_ENTRY, "Vary", parameters=[CLIENT])
GET_STEP = _page(
    StepPage,
    examples.STEP_PAGE,
    Code.STEP_NOT_FOUND,
    Code.STEP_FAILED,
    Code.INVALID_PARAMETER,
    parameters=[CLIENT],
)
GET_STEP_LOGS = _log(Code.STEP_NOT_FOUND)
DOWNLOAD_STEP = described(
    Told(
        200,
        None,
        {"signed_url": f"https://pipeloom.example/api/v1/sources/{examples.DIGEST}?ticket=eyJhbGciOiJFZERTQSJ9"},
        "Where the source can be fetched for five minutes",
    ),
    refuses=[*OF_READS, Code.STEP_NOT_FOUND, Code.STEP_NOT_READY, Code.STEP_FAILED, Code.SOURCE_NOT_KEPT],
)
GET_SOURCE = described(
    Told(200, None, None, "A gzip tar", ("Content-Disposition", "Cache-Control"), content=A_FILE),
    refuses=[
        Code.INVALID_TOKEN,
        Code.EXPIRED_TOKEN,
        Code.SOURCE_NOT_KEPT,
        Code.INVALID_PARAMETER,
        Code.STORE_UNAVAILABLE,
        Code.INTERNAL_ERROR,
    ],
)
GET_PROJECT_INFORMATION = described(
    Told(200, None, {"included_folders": [], "requirements_path": None}, "Nothing: there are no projects here"),
    refuses=OF_ASKERS,
)

LIST_DEPLOYMENTS = _list(DeploymentEntry, examples.DEPLOYMENT_ENTRY)
GET_DEPLOYMENT = _page(DeploymentPage, examples.ENDPOINT_PAGE, Code.DEPLOYMENT_NOT_FOUND, Code.INVALID_PARAMETER)
GET_SCHEDULE = described(
    Told(
        200,
        Schedule,
        {
            "name": "churn-nightly",
            "schedule": "0 3 * * *",
            "human_readable_schedule": "At 03:00 AM",
            "next_times": [f"2026-02-0{day}T03:00:00.000Z" for day in (1, 2, 3)],
        },
        "The schedule, and the next three times",
    ),
    refuses=[*OF_READS, Code.DEPLOYMENT_NOT_FOUND, Code.WRONG_EXECUTION_RULE],
)
GET_DEPLOYMENT_EXECUTION = described(NO_EXECUTION, refuses=[*OF_READS, Code.DEPLOYMENT_NOT_FOUND])
GET_DEPLOYMENT_LOGS = described(
    Told(200, list[None], [], "None so far"), refuses=[*OF_READS, *OF_BODIES, Code.DEPLOYMENT_NOT_FOUND]
)

LIST_ENVIRONMENT_VARIABLES = _list(
    VariableValue, {"name": "API_KEY", "value": "example"}, "Cache-Control", refuses=[Code.UNREADABLE_VALUE]
)

FOLLOW_EVENTS = described(
    Told(
        200,
        None,
        None,
        "Events as they come, without an end",
        ("Cache-Control", "Pipeloom-Pruned-Up-To"),
        content=A_STREAM,
    ),
    refuses=[
        *OF_READS,
        Code.INVALID_PARAMETER,
        Code.INVALID_REQUEST,
        Code.INVALID_HEADER,
        Code.HISTORY_PRUNED,
        Code.TOO_MANY_STREAMS,
        Code.ENVIRONMENT_OVERLOADED,
    ],
)
GET_ACTIVITY = described(
    Told(200, Activity, AN_ACTIVITY, "What the monitor knows; `stale` and old rather than made up when it is away"),
    refuses=[*OF_READS, Code.INVALID_PARAMETER, Code.INVALID_REQUEST],
)
GET_COMMAND = described(
    Told(200, Succeeded | Rejected, A_SUCCESS, "The command has its result"),
    Told(202, Unknown, AN_UNKNOWN_COMMAND, "No result under this id yet", ("Retry-After",)),
    refuses=[*OF_READS, Code.INVALID_PARAMETER, Code.OVERLOADED, Code.ENVIRONMENT_OVERLOADED],
)

REFRESH = described(
    Told(200, AccessToken, {"access_token": "eyJhbGciOiJFZERTQSJ9"}, "An access token", ("Cache-Control",)),
    refuses=[*OF_BODIES, Code.INVALID_TOKEN, Code.POSTGRES_UNAVAILABLE, Code.INTERNAL_ERROR],
)
GET_SIGNING_KEYS = described(
    Told(
        200,
        PublicKeys,
        {
            "keys": [
                {
                    "kid": "9f86d081",
                    "use": "sig",
                    "alg": "EdDSA",
                    "kty": "OKP",
                    "crv": "Ed25519",
                    "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
                }
            ]
        },
        "The keys",
        ("Cache-Control",),
    ),
    refuses=[Code.INTERNAL_ERROR],
)
_USER = Told(200, User, {"id": examples.USER_ID, "name": "Ada", "email": "ada@example.org"}, "The user")
WHO_AM_I = described(_USER, refuses=[*OF_READS, Code.USER_NOT_FOUND])
GET_USER = described(_USER, refuses=[*OF_READS, Code.USER_NOT_FOUND, Code.INVALID_PARAMETER])

"""Says, for the OpenAPI document, what a route answers: documents by status, and the codes that it refuses with."""

import http
from collections.abc import Iterable
from itertools import groupby
from typing import Any, NamedTuple

from pydantic_core import to_json

from events.refusals import Code
from services.kit.command_shapes import Accepted, Problem
from services.kit.examples import COMMAND_ID, Example, problem_example
from services.kit.problems import PROBLEM_TYPE, RETRIED_STATUSES

Described = dict[str, Any]
"""What FastAPI takes of a route for the document: `@router.get("/steps", **LIST_STEPS)`."""

JSON_TYPE = "application/json"

# What every route refuses with that asks who asks.
OF_ASKERS = (Code.UNAUTHENTICATED, Code.INVALID_TOKEN, Code.EXPIRED_TOKEN, Code.INTERNAL_ERROR)
OF_READS = (*OF_ASKERS, Code.POSTGRES_UNAVAILABLE)
OF_LISTS = (*OF_READS, Code.INVALID_PARAMETER)
OF_COMMANDS = (
    *OF_ASKERS,
    Code.INVALID_HEADER,
    Code.INVALID_NAME,
    Code.COMMAND_ID_REUSED,
    Code.OVERLOADED,
    Code.ENVIRONMENT_OVERLOADED,
    Code.KAFKA_UNAVAILABLE,
    Code.OUTCOME_UNKNOWN,
)
OF_BODIES = (
    Code.INVALID_JSON,
    Code.INVALID_BODY,
    Code.REQUEST_TIMEOUT,
    Code.PAYLOAD_TOO_LARGE,
    Code.UNSUPPORTED_MEDIA_TYPE,
)


class Told(NamedTuple):
    """An answer of a route, with an example; without a shape it has no document, or the route says the shape.

    `content` says it all of what is no JSON.
    """

    status: int
    shape: Any
    example: Example
    sentence: str
    headers: tuple[str, ...] = ()
    links: dict[str, Any] = {}
    content: dict[str, Any] = {}


LATER = Told(
    202,
    Accepted,
    {
        "command_id": COMMAND_ID,
        "status": "accepted",
        "message": f"Ask for the result at /api/v1/commands/{COMMAND_ID}.",
    },
    "The command is on its way: the client did not want to wait, or not for so long (`Prefer`)",
    ("Location", "Pipeloom-Command-Id", "Preference-Applied"),
    {"result": {"operationId": "get_command", "parameters": {"command_id": "$response.body#/command_id"}}},
)


def described(
    *told: Told,
    refuses: Iterable[Code],
    parameters: Iterable[dict[str, Any]] = (),
    body: dict[str, Any] | None = None,
) -> Described:
    """Say that a route answers with `told`, refuses with one of the codes, and reads these headers and this body."""
    ordered = sorted(set(refuses), key=lambda code: (code.http_status, code))
    by_status = groupby(ordered, key=lambda code: code.http_status)
    problems = {status: _problems(status, list(codes)) for status, codes in by_status}
    extra: dict[str, Any] = {"parameters": list(parameters), **(body or {})}
    return {"responses": {each.status: _answer(each) for each in told} | problems, "openapi_extra": extra}


def _answer(told: Told) -> dict[str, Any]:
    described: dict[str, Any] = {"description": told.sentence}
    if told.shape is not None:
        described["model"] = told.shape
    if told.content:
        described["content"] = told.content
    elif told.example is not None:
        # As text: FastAPI would take the nulls out of it.
        described["content"] = {JSON_TYPE: {"example": to_json(told.example).decode()}}
    if told.headers:
        described["headers"] = {name: _referred("headers", name) for name in told.headers}
    if told.links:
        described["links"] = told.links
    return described


def _problems(status: int, codes: list[Code]) -> dict[str, Any]:
    named = {"properties": {"name": {"enum": [code.value for code in codes]}, "status": {"const": status}}}
    schema = {"allOf": [_referred("schemas", Problem.__name__), named]}
    examples = {code.value: _referred("examples", code.value) for code in codes}
    described: dict[str, Any] = {
        "description": "; ".join(f"`{code.value}`: {code.meaning}" for code in codes),
        "content": {PROBLEM_TYPE: {"schema": schema, "examples": examples}},
    }
    if status in RETRIED_STATUSES:
        described["headers"] = {"Retry-After": _referred("headers", "Retry-After")}
    if status == http.HTTPStatus.UNAUTHORIZED:
        described["headers"] = {"WWW-Authenticate": _referred("headers", "WWW-Authenticate")}
    return described


def _referred(kind: str, name: str) -> dict[str, str]:
    return {"$ref": f"#/components/{kind}/{name}"}


def problem_examples() -> dict[str, Any]:
    """Return an example of a problem for each code."""
    return {code.value: {"summary": code.meaning, "value": problem_example(code)} for code in Code}

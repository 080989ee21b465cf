"""The OpenAPI document of an application: what FastAPI makes of its routes, and the parts that they refer to."""

import re
from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic import TypeAdapter
from pydantic_core import from_json

from services.kit.command_shapes import Problem
from services.kit.described import JSON_TYPE, problem_examples
from services.kit.examples import COMMAND_ID, REQUEST_ID
from services.kit.problems import PROBLEM_TYPE

ABOUT = """\
Composes machine-learning steps into pipelines and keeps their lifecycle.

Every answer has an `X-Request-Id`: the request's own, or a new one. Every refusal is a problem document (RFC 9457) with
a stable code. Beside what an operation names, any address refuses a method that it does not take (405), and what cannot
be read as a request at all (400, 408, 413, 415). HEAD is answered wherever GET is.
"""
SHARED_CODES = 4
FRAMEWORKS = ("HTTPValidationError", "ValidationError")

_HEADERS = {
    "X-Request-Id": ("Leads to the request in the logs", {"type": "string"}, REQUEST_ID),
    "Pipeloom-Command-Id": ("The command that the request became", {"type": "string", "format": "uuid"}, COMMAND_ID),
    "Location": (
        "Where what was created, or the command's result, can be read",
        {"type": "string"},
        "/api/v1/steps/train",
    ),
    "ETag": ("The version, for If-None-Match and If-Match", {"type": "string", "pattern": '^"[0-9]+"$'}, '"17"'),
    "Preference-Applied": ("What of `Prefer` was heeded", {"type": "string"}, "respond-async"),
    "Retry-After": ("After so many seconds another try makes sense", {"type": "string", "pattern": "^[0-9]+$"}, "2"),
    "WWW-Authenticate": ("How to say who asks", {"type": "string"}, "Bearer"),
    "Link": ("The next page, when there is one", {"type": "string"}, '</api/v1/steps?limit=2&after=b>; rel="next"'),
    "Pipeloom-Pruned-Up-To": (
        "Events up to this sequence are no longer kept; left out while the history is whole",
        {"type": "string", "pattern": "^[0-9]+$"},
        "1042",
    ),
    "Cache-Control": ("For how long the answer may be kept", {"type": "string"}, "no-store"),
    "Content-Disposition": ("The name of the file", {"type": "string"}, "attachment; filename*=UTF-8''train.tgz"),
    "Vary": ("What the answer depends on", {"type": "string"}, "craft-ai-client"),
}


def operation_id(route: APIRoute) -> str:
    """Return the name of an operation: that of its function."""
    return route.name


def describe(app: FastAPI) -> None:
    """Let `app` give its document with all the parts that its routes refer to."""
    made = app.openapi

    def document() -> dict[str, Any]:
        is_made = app.openapi_schema is not None
        told = made()
        if not is_made:
            _complete(told)
            _share(told)
        return told

    app.openapi = document  # type: ignore[method-assign]


def _complete(document: dict[str, Any]) -> None:
    """Add the shared parts, and take out what FastAPI says of errors that are told in another way."""
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for name in FRAMEWORKS:
        schemas.pop(name, None)
    schemas[Problem.__name__] = TypeAdapter(Problem).json_schema(ref_template="#/components/schemas/{model}")
    components["headers"] = {
        name: {"description": told, "schema": schema, "example": example}
        for name, (told, schema, example) in _HEADERS.items()
    }
    used = set(re.findall(r"#/components/examples/(\w+)", str(document["paths"])))
    components["examples"] = {code: example for code, example in problem_examples().items() if code in used}
    for answers in _answers(document):
        _complete_answers(answers)
    for operation in _operations(document):
        _complete_body(operation.get("requestBody", {}), schemas)


def _complete_body(body: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Show the example of a body's model where readers of the document look for it."""
    for content in body.get("content", {}).values():
        schema = content["schema"]
        name = next(iter(schema.get("anyOf", [schema]))).get("$ref", "").rpartition("/")[2]
        if "example" in schemas.get(name, {}):
            content.setdefault("example", schemas[name]["example"])


def _share(document: dict[str, Any]) -> None:
    """Put the problems that many operations have into one place each."""
    shared = document["components"].setdefault("responses", {})
    for answers in _answers(document):
        for status, answer in answers.items():
            codes = list(answer.get("content", {}).get(PROBLEM_TYPE, {}).get("examples", ()))
            if 0 < len(codes) <= SHARED_CODES:
                name = "-".join(codes)
                shared[name] = answer
                answers[status] = {"$ref": f"#/components/responses/{name}"}


def _answers(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for operation in _operations(document):
        yield operation["responses"]


def _operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for operations in document["paths"].values():
        yield from operations.values()


def _complete_answers(answers: dict[str, Any]) -> None:
    if FRAMEWORKS[0] in str(answers.get("422")):
        del answers["422"]
    for answer in answers.values():
        answer.setdefault("headers", {})["X-Request-Id"] = {"$ref": "#/components/headers/X-Request-Id"}
        for media_type, content in answer.get("content", {}).items():
            if media_type == JSON_TYPE and "example" in content:
                content["example"] = from_json(content["example"])

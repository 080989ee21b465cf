"""One shape for every error over HTTP: the keys of craft-ai-sdk (sdk-contract 4) and of RFC 9457 together."""

import http
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response
from starlette.routing import Match

from events.refusals import Code, Refused
from events.validation import path_of
from events.wording import fault_of

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
RETRY_AFTER_S = 2
PROBLEM_TYPE = "application/problem+json"
RETRIED_STATUSES = frozenset({429, 503, 504})

log = structlog.get_logger()


def problem(request: Request, refusal: Refused, headers: dict[str, str] | None = None) -> JSONResponse:
    """Return the answer that tells `refusal`: what, why and what to do."""
    status = refusal.code.http_status
    body = problem_body(refusal, _request_id(request), request.scope["path"])
    told = {"X-Request-Id": body["request_id"], **_headers(refusal, status), **(headers or {})}
    return JSONResponse(body, status, told, PROBLEM_TYPE)


def problem_body(refusal: Refused, request_id: str, path: str) -> dict[str, Any]:
    """Return the document that tells `refusal` of a request to `path`."""
    return {
        "name": refusal.code.value,
        "message": refusal.message,
        "request_id": request_id,
        "additional_data": refusal.details,
        "type": f"urn:pipeloom:problem:{refusal.code.value}",
        "title": refusal.code.meaning,
        "status": refusal.code.http_status,
        "detail": refusal.message,
        "instance": quote(path),
    }


def _request_id(request: Request) -> str:
    return str(request.scope.get("request_id", "NO_REQUEST_ID"))


def _headers(refusal: Refused, status: int) -> dict[str, str]:
    headers = {}
    if status in RETRIED_STATUSES:
        headers["Retry-After"] = str(RETRY_AFTER_S)
    if status == http.HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    if status == http.HTTPStatus.REQUEST_TIMEOUT:
        headers["Connection"] = "close"
    if command_id := refusal.details.get("command_id"):
        headers["Location"] = f"/api/v1/commands/{command_id}"
        headers["Pipeloom-Command-Id"] = str(command_id)
    return headers


async def _refused(request: Request, error: Refused) -> Response:
    return problem(request, error)


async def _malformed(request: Request, error: RequestValidationError) -> Response:
    return problem(request, _invalid(request, error))


async def _framework(request: Request, error: HTTPException) -> Response:
    if isinstance(error.__cause__, Refused):  # what FastAPI met while it read the body itself
        return problem(request, error.__cause__)
    headers = dict(error.headers or {})
    if error.status_code == http.HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = _allowed_methods(request)
    return problem(request, _of_framework(request, error), headers)


async def _gone(_: Request, __: ClientDisconnect) -> Response:
    return Response(status_code=http.HTTPStatus.BAD_REQUEST)  # nobody is there to read it


# How each error that ends a request is told.
HANDLERS: dict[type[Exception], Callable[[Request, Any], Awaitable[Response]]] = {
    Refused: _refused,
    RequestValidationError: _malformed,
    HTTPException: _framework,
    ClientDisconnect: _gone,
}


def add_problem_handlers(app: FastAPI) -> None:
    """Make every error of `app`, the framework's own included, a problem."""
    for kind, handler in HANDLERS.items():
        app.add_exception_handler(kind, handler)


def broken(request: Request, error: Exception) -> JSONResponse:
    """Return the answer to a request that broke us, whose id leads to the error in the logs."""
    log.error("a request broke", path=request.url.path, request_id=_request_id(request), exc_info=error)
    return problem(
        request,
        Refused(Code.INTERNAL_ERROR, "Something broke on our side; the request id leads to it in the logs."),
    )


def _invalid(request: Request, error: RequestValidationError) -> Refused:
    problems = error.errors()
    given = request.headers.get("content-type", "none")
    if problems and problems[0]["loc"] == ("body",) and not given.lower().startswith("application/json"):
        return Refused(Code.UNSUPPORTED_MEDIA_TYPE, f"The content type is {given}; send application/json.")
    if problems and problems[0]["type"] == "json_invalid":
        return Refused(Code.INVALID_JSON, f"This is not JSON: {problems[0]['ctx']['error']}.")
    code = Code.INVALID_BODY if problems and problems[0]["loc"][0] == "body" else Code.INVALID_PARAMETER
    told = [(path_of(each["loc"][1:]), fault_of(each)) for each in problems]
    sentence = "; ".join(f"{field}: {fault}" for field, fault in told)
    return Refused(code, f"{sentence}.", fields=[{"field": field, "message": fault} for field, fault in told])


def _allowed_methods(request: Request) -> str:
    """Return all methods that the address takes: several routes may share it, and HEAD goes with GET."""
    return ", ".join(method for method in METHODS if _takes(request, "GET" if method == "HEAD" else method))


def _takes(request: Request, method: str) -> bool:
    scope = {**request.scope, "method": method}
    return any(route.matches(scope)[0] is Match.FULL for route in request.app.routes)


def _of_framework(request: Request, error: HTTPException) -> Refused:
    match error.status_code:
        case http.HTTPStatus.NOT_FOUND:
            return Refused(Code.NOT_FOUND, f"There is nothing at {request.url.path}; see /docs for the addresses.")
        case http.HTTPStatus.METHOD_NOT_ALLOWED:
            return Refused(Code.METHOD_NOT_ALLOWED, f"{request.method} is not possible at {request.url.path}.")
        case http.HTTPStatus.BAD_REQUEST:
            return Refused(Code.INVALID_JSON, f"The body cannot be read: {error.detail}.")
        case status if status < http.HTTPStatus.INTERNAL_SERVER_ERROR:
            return Refused(Code.INVALID_REQUEST, f"The request cannot be answered: {error.detail}.")
        case _:
            return Refused(Code.INTERNAL_ERROR, str(error.detail))

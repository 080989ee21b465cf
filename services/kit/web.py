"""What the HTTP applications share: request ids, the body limit, errors in one shape, and who asks."""

import asyncio
import contextlib
import re
import uuid
from collections.abc import Iterable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.security import HTTPBearer
from fastapi_offline import FastAPIOffline
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from events.refusals import Code, Refused
from events.topics import MIB
from services.kit.direct_routes import DirectRoutes
from services.kit.health import Health, health_routes
from services.kit.http_metrics import Measured
from services.kit.log_context import tell
from services.kit.openapi import ABOUT, describe, operation_id
from services.kit.problems import add_problem_handlers, broken, problem
from services.kit.published import contract_routes
from services.kit.request_log import RequestLog
from services.kit.tokens import Identity
from services.kit.traced_requests import TracedRequests
from services.kit.tracing import is_on
from services.kit.transport import HeadAsGet, refusal_of_encoding, timed

MAX_BODY_BYTES = MIB
BODY_S = 20.0
LINGER_S = 2.0
LINGER_BYTES = 16 * MIB
API = "/api/v1"
# What files may be uploaded to.
UPLOADS = frozenset({("POST", f"{API}/steps"), ("POST", f"{API}/pipelines")})
MULTIPART = "multipart/form-data"
JSON = "application/json"

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,100}")
_bearer = HTTPBearer(auto_error=False, description="An access token from POST /api/v1/auth/refresh")


def _identity(request: Request) -> Identity:
    identity: Identity = request.app.state.tokens.identify(request.headers.get("authorization"))
    tell(environment=identity.environment)
    return identity


async def _identify(request: Request, _: Annotated[Any, Depends(_bearer)]) -> Identity:
    # A coroutine, although it awaits nothing: FastAPI sends plain functions to a thread.
    return _identity(request)


Asker = Annotated[Identity, Depends(_identify)]
"""The identity that the verified access token names; its environment is the only one that a request sees."""


def json_response(body: str | bytes, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return JSON that was assembled before, as it stands."""
    return Response(body, status, headers, JSON)


def etag(version: int) -> str:
    """Return the entity tag of a version, for example `"17"`."""
    return f'"{version}"'


class Guard:
    """Gives every request an id and an answer, and refuses a body over the limit before it is read whole."""

    def __init__(self, app: ASGIApp, body_timeout_s: float = BODY_S, upload_bytes: int = 0) -> None:
        """Files of up to `upload_bytes` may be uploaded, where and in the form in which files can be.

        A body has `body_timeout_s` to come; a larger one has that for every MAX_BODY_BYTES, and for every pause.
        """
        self._app = app
        self._body_timeout_s = body_timeout_s
        self._upload_bytes = upload_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = headers.get("x-request-id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else str(uuid.uuid4())
        scope["request_id"] = request_id
        tell(request_id=request_id)

        started = False

        async def send_with_id(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                MutableHeaders(scope=message)["X-Request-Id"] = request_id
            await send(message)

        limit = self._limit(scope, headers)
        size = int(headers.get("content-length") or 0)
        refused = _too_large(limit) if size > limit else refusal_of_encoding(headers)
        if refused:
            refusal = problem(Request(scope), refused, {"Connection": "close"})
            await refusal(scope, receive, _lingering(receive, send_with_id))
            return
        try:
            within_s = self._body_timeout_s * max(1.0, (size or limit) / MAX_BODY_BYTES)
            await self._app(scope, _bounded(timed(receive, within_s, self._body_timeout_s), limit), send_with_id)
        except Exception as error:  # the last one to answer, so that the connection and its next request live on
            if started:
                raise
            await broken(Request(scope), error)(scope, receive, send_with_id)

    def _limit(self, scope: Scope, headers: Headers) -> int:
        uploads = (scope["method"], scope["path"]) in UPLOADS
        is_multipart = headers.get("content-type", "").lower().startswith(MULTIPART)
        return MAX_BODY_BYTES + self._upload_bytes if uploads and is_multipart else MAX_BODY_BYTES


def _lingering(receive: Receive, send: Send) -> Send:
    """Close the connection only after a while: a client that still sends would see a reset instead of the answer."""

    async def lingering(message: Message) -> None:
        if message["type"] == "http.response.body":
            await send({**message, "more_body": True})
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(_discard(receive), LINGER_S)
            message = {"type": "http.response.body"}
        await send(message)

    return lingering


async def _discard(receive: Receive) -> None:
    discarded = 0
    while discarded < LINGER_BYTES:
        message = await receive()
        discarded += len(message.get("body", b""))
        if not message.get("more_body", False):
            return


def _bounded(receive: Receive, limit: int) -> Receive:
    """Count what a request without a declared length sends, and stop reading at the limit."""
    read = 0

    async def bounded() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > limit:
            raise _too_large(limit)
        return message

    return bounded


def _too_large(limit: int) -> Refused:
    return Refused(
        Code.PAYLOAD_TOO_LARGE,
        f"The body is larger than {limit} bytes. Keep large values out of commands: refer to them by a path or a URL.",
        limit=limit,
    )


def make_app(
    title: str,
    routers: Iterable[APIRouter],
    health: Health,
    *,
    body_timeout_s: float = BODY_S,
    upload_bytes: int = 0,
    log_requests: bool = False,
    **state: Any,
) -> FastAPI:
    """Return an application of `routers` under /api/v1, with the health routes; `state` is what its routes use.

    Its pages /docs and /asyncapi work without the internet: scripts and styles come from here.
    """
    app = FastAPIOffline(
        redoc_url=None,
        title=title,
        version="1",
        redirect_slashes=False,
        openapi_url=f"{API}/openapi.json",
        description=ABOUT,
        generate_unique_id_function=operation_id,
        # What there is to see of requests is told by TracedRequests and Measured.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    for name, value in state.items():
        setattr(app.state, name, value)
    for router in routers:
        app.include_router(router, prefix=API)
    app.routes.extend([*health_routes(health), *contract_routes()])
    add_problem_handlers(app)
    describe(app)
    app.add_middleware(DirectRoutes, routes=app.routes, resolvers={_identify: _identity})
    app.add_middleware(Guard, body_timeout_s=body_timeout_s, upload_bytes=upload_bytes)
    app.add_middleware(Measured, prefix=API)
    app.add_middleware(RequestLog, log_requests=log_requests)
    if is_on():
        app.add_middleware(TracedRequests, prefix=API)
    app.add_middleware(HeadAsGet)
    return app

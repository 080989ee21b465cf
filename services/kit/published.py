"""The contract of the topics over HTTP: /asyncapi for people, /asyncapi.json and /schemas/… for programs."""

import hashlib
import json
from functools import cache

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from events.asyncapi import DOCUMENT
from events.releases import SCHEMAS
from events.topics import TOPICS
from services.kit.asyncapi_page import asyncapi_page

JSON = "application/json"
JSON_SCHEMA = "application/schema+json"
HTML = "text/html; charset=utf-8"
KEPT = "public, max-age=3600"
GUARDED = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}


def contract_routes() -> list[Route]:
    """Return the routes of the page, of the document and of every schema, earlier versions included."""

    async def page(request: Request) -> Response:
        return _sent(request, _page(), HTML)

    async def document(request: Request) -> Response:
        return _sent(request, _document(), JSON)

    async def schema(request: Request) -> Response:
        found = _schemas().get(request.path_params["name"])
        if found is None:
            raise HTTPException(404)
        return _sent(request, found, JSON_SCHEMA)

    return [
        Route("/asyncapi", page),
        Route("/asyncapi.json", document),
        Route("/schemas/{name:path}", schema),
    ]


def _sent(request: Request, body: bytes, media_type: str) -> Response:
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": KEPT, **GUARDED}
    known = {each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")}
    if known & {tag, "*"}:
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type=media_type)


@cache
def _page() -> bytes:
    return asyncapi_page(json.loads(_document())).encode()


@cache
def _document() -> bytes:
    return DOCUMENT.read_bytes()


@cache
def _schemas() -> dict[str, bytes]:
    """Return every schema by its path under /schemas: only these can be asked for, whatever else is on the disk."""
    files = [path for topic in TOPICS for path in (SCHEMAS / topic.suffix).glob("*.json")]
    return {path.relative_to(SCHEMAS).as_posix(): path.read_bytes() for path in files}

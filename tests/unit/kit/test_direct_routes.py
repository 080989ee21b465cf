"""Routes that run without FastAPI's machinery answer as FastAPI does."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, Header, Path, Query
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from events.refusals import Code, Refused
from services.kit.direct_routes import DirectRoutes, is_plain
from services.kit.problems import add_problem_handlers


def _who(request: Request) -> str:
    who = request.headers.get("who")
    if who is None:
        raise Refused(Code.UNAUTHENTICATED, "Say who asks.")
    return who


async def _asker(request: Request) -> str:
    return _who(request)


async def _other() -> str:
    return "other"


Asker = Annotated[str, Depends(_asker)]
Limit = Annotated[int | None, Query(ge=1, le=10)]
Small = Annotated[int, Path(ge=1, le=99)]


class Thing(BaseModel):
    """What a body may hold."""

    name: str


def _said(*what: Any) -> Response:
    return Response(repr(what), headers={"Said": str(len(what))})


def _routes() -> APIRouter:
    router = APIRouter()
    nested = APIRouter()

    @router.post("/things/fixed")
    async def made(asker: Asker, thing: Thing) -> Response:
        return _said("made", asker, thing.name)

    @router.get("/things/fixed")
    async def fixed() -> dict[str, str]:
        return {"it": "is FastAPI's"}

    @router.get("/things/{name}")
    async def get(request: Request, asker: Asker, name: str) -> Response:
        return _said("get", asker, name, request.method, request.url.path, request.scope["route"].path)

    @router.get("/things")
    async def find(asker: Asker, limit: Limit = None, after: Annotated[str, Query()] = "") -> Response:
        return _said("list", asker, limit, after)

    @router.post("/things")
    async def create(request: Request, asker: Asker) -> Response:
        return _said("create", asker, await request.body())

    @nested.get("/things/{name}/parts/{number}")
    async def part(name: str, number: Small, wanted: Annotated[bool, Query()]) -> Response:
        return _said("part", name, number, wanted)

    @nested.delete("/things/{name}", status_code=204)
    async def delete(name: str) -> Response:
        if name == "broken":
            raise RuntimeError(name)
        raise Refused(Code.PIPELINE_NOT_FOUND, f"There is no '{name}'.", pipeline_name=name)

    router.include_router(nested)
    return router


def _app(*, is_direct: bool) -> FastAPI:
    app = FastAPI(redirect_slashes=False)
    app.include_router(_routes(), prefix="/api/v1")
    add_problem_handlers(app)
    if is_direct:
        app.add_middleware(DirectRoutes, routes=app.routes, resolvers={_asker: _who})
    return app


async def _clients() -> AsyncIterator[httpx.AsyncClient]:
    for is_direct in (False, True):
        transport = httpx.ASGITransport(_app(is_direct=is_direct), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test/api/v1") as client:
            yield client


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/things/a"),
        ("GET", "/things/%C3%A9%20b"),
        ("GET", "/things/a%2Fb"),
        ("GET", "/things/"),
        ("GET", "/things/fixed"),
        ("POST", "/things/fixed"),
        ("GET", "/things"),
        ("GET", "/things?limit=3&after=x&more=y"),
        ("GET", "/things?limit=0"),
        ("GET", "/things?limit=many&after=x"),
        ("POST", "/things?limit=3"),
        ("PUT", "/things"),
        ("PUT", "/things/a"),
        ("DELETE", "/things/a"),
        ("DELETE", "/things/broken"),
        ("GET", "/things/a/parts/7?wanted=yes"),
        ("GET", "/things/a/parts/7"),
        ("GET", "/things/a/parts/100?wanted=perhaps"),
        ("GET", "/things/a/parts/x?wanted=1"),
        ("GET", "/nothing"),
        ("GET", "/a/b/c/d/e"),
        ("GET", ""),
    ],
)
@pytest.mark.parametrize("who", [None, "me"])
async def test_a_direct_answer_is_the_same_as_that_of_fastapi(method: str, path: str, who: str | None) -> None:
    told = []
    async for client in _clients():
        headers = {} if who is None else {"who": who}
        content = b'{"name": "n"}' if method == "POST" else None
        json = {"Content-Type": "application/json"} if content else {}
        answer = await client.request(method, path, headers=headers | json, content=content)
        told.append((answer.status_code, answer.headers.get("said"), answer.headers.get("allow"), answer.text))
    assert told[0] == told[1]


def _plain(endpoint: Any, path: str = "/things/{name}") -> bool:
    app = FastAPI(openapi_url=None)
    app.get(path, response_model=None)(endpoint)
    (context,) = iter_route_contexts(app.routes)
    return is_plain(context, {_asker: _who})


async def _with_header(who: Annotated[str, Header()]) -> Response:
    return _said(who)


async def _with_a_body(thing: Thing) -> Response:
    return _said(thing)


async def _with_another_dependency(name: str, other: Annotated[str, Depends(_other)]) -> Response:
    return _said(name, other)


async def _with_its_answer(name: str, response: Response) -> Response:
    return _said(name, response)


async def _of_a_document(name: str) -> dict[str, str]:
    return {"name": name}


def _in_a_thread(name: str) -> Response:
    return _said(name)


async def _plain_one(request: Request, asker: Asker, name: str, limit: Limit = None) -> Response:
    return _said(request, asker, name, limit)


def test_a_route_of_the_request_the_asker_and_parameters_is_plain() -> None:
    assert _plain(_plain_one)


@pytest.mark.parametrize(
    "endpoint", [_with_header, _with_a_body, _with_another_dependency, _with_its_answer, _of_a_document, _in_a_thread]
)
def test_a_route_that_needs_more_is_left_to_fastapi(endpoint: Any) -> None:
    assert not _plain(endpoint)


def test_a_route_whose_address_holds_more_than_texts_is_left_to_fastapi() -> None:
    assert not _plain(_plain_one, "/things/{name:path}")

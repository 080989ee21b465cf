"""An application to send requests to, and tokens to send along."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import APIRouter, Request
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import Response

from events.refusals import Refused, code_of
from services.kit.health import Health
from services.kit.settings import AuthSettings
from services.kit.signing_keys import ensure_signing_key
from services.kit.tokens import Tokens
from services.kit.web import Asker, json_response, make_app


class Typed(BaseModel):
    """A body that the framework reads."""

    number: int


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    """A new signing key."""
    file = tmp_path / "signing-key.pem"
    ensure_signing_key(file)
    return file


@pytest.fixture
def tokens(key_file: Path) -> Tokens:
    return Tokens(AuthSettings(signing_key_file=key_file))


@pytest.fixture
def health() -> Health:
    return Health()


@pytest.fixture
async def http(health: Health, tokens: Tokens) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a small application that is made as the services' are."""
    app = make_app("test", [_router()], health, tokens=tokens)
    # Starlette sends the answer to a broken request and then raises what broke it.
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://pipeloom.test/api/v1") as client:
        yield client


def _router() -> APIRouter:
    router = APIRouter()

    @router.get("/things/{number}")
    async def get_thing(number: int) -> Response:
        return json_response(f'{{"number":{number}}}')

    @router.delete("/things/{number}")
    async def delete_thing(number: int) -> Response:
        return json_response("{}")

    @router.post("/echo")
    async def echo(request: Request) -> Response:
        return json_response(json.dumps({"bytes": len(await request.body())}))

    @router.post("/typed")
    async def typed(body: Typed) -> Response:
        return json_response("{}")

    @router.get("/refused/{code}")
    async def refused(code: str, command_id: str | None = None) -> Response:
        details = {"command_id": command_id} if command_id else {}
        raise Refused(code_of(code), "Because of that.", culprit="this one", **details)

    @router.get("/framework/{status}")
    async def framework(status: int) -> Response:
        raise HTTPException(status, "as the framework says", {"X-Kept": "yes"})

    @router.get("/broken")
    async def broken() -> Response:
        raise RuntimeError("a secret of ours")

    @router.get("/who")
    async def who(asker: Asker) -> Response:
        return json_response(json.dumps([asker.user_id, asker.environment]))

    return router

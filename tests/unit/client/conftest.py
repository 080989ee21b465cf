"""A service that answers as it is told, and both clients behind one way of calling."""

import base64
import inspect
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from pipeloom import AsyncClient, Client
from pipeloom.client import delivery, flows

REFRESH = "/api/v1/auth/refresh"


def access_token(name: str, life_s: float = 900) -> str:
    parts = ({"alg": "none"}, {"exp": time.time() + life_s, "jti": name})
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts) + "."


class Service:
    """Answers requests from a script, in order, and remembers them; refreshes are answered beside the script."""

    def __init__(self) -> None:
        self.script: list[httpx.Response | type[httpx.RequestError]] = []
        self.requests: list[httpx.Request] = []
        self.refreshes: list[httpx.Request] = []
        self.refresh_answer: httpx.Response | None = None
        self.token_life_s = 900.0

    def answers(self, status: int, body: Any = None, headers: dict[str, str] | None = None) -> "Service":
        self.script.append(httpx.Response(status, json=body, headers=headers))
        return self

    def answers_text(self, status: int, text: str) -> "Service":
        self.script.append(httpx.Response(status, text=text))
        return self

    def fails(self, *errors: type[httpx.RequestError]) -> "Service":
        self.script.extend(errors)
        return self

    def handle(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith(REFRESH):
            self.refreshes.append(request)
            token = access_token(f"token-{len(self.refreshes)}", self.token_life_s)
            return self.refresh_answer or httpx.Response(200, json={"access_token": token})
        self.requests.append(request)
        assert self.script, f"nothing is scripted for {request.method} {request.url}"
        answer = self.script.pop(0)
        if isinstance(answer, httpx.Response):
            return answer
        raise answer("as scripted", request=request)

    @property
    def request(self) -> httpx.Request:
        assert len(self.requests) == 1
        return self.requests[0]

    @property
    def body(self) -> Any:
        return json.loads(self.requests[-1].content)


class Caller:
    """Calls a method of either client."""

    def __init__(self, client: Client | AsyncClient) -> None:
        self.client = client

    async def __call__(self, method: str, *arguments: Any, **options: Any) -> Any:
        value = getattr(self.client, method)(*arguments, **options)
        return await value if inspect.isawaitable(value) else value


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture(params=[Client, AsyncClient], ids=["sync", "async"])
async def call(request: pytest.FixtureRequest, service: Service) -> AsyncIterator[Caller]:
    client = request.param("http://pipeloom.test/", "the-sdk-token", transport=httpx.MockTransport(service.handle))
    yield Caller(client)
    if isinstance(client, AsyncClient):
        await client.aclose()
    else:
        client.close()


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clients try again at once."""
    monkeypatch.setattr(delivery, "FIRST_PAUSE_S", 0.0)
    monkeypatch.setattr(flows, "ASK_AGAIN_S", 0.0)

"""The command line against a service that answers as it is told."""

import shlex
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner, Result

from pipeloom import Client
from pipeloom.cli.main import app


class Service:
    """Answers every request but the refresh with the next of its answers."""

    def __init__(self) -> None:
        self.answers: list[httpx.Response] = []
        self.requests: list[httpx.Request] = []

    def answer(self, status: int, body: Any) -> None:
        self.answers.append(httpx.Response(status, json=body))

    def handle(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/api/v1/auth/refresh":
            return httpx.Response(200, json={"access_token": "a.b.c"})
        self.requests.append(request)
        return self.answers.pop(0)


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Service:
    service = Service()
    client = Client("http://pipeloom.test", "token", transport=httpx.MockTransport(service.handle))
    monkeypatch.setattr("pipeloom.cli.connection.Client", lambda *_: client)
    return service


@pytest.fixture
def pipeloom(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Result]:
    """Types a command, in an environment that names no service."""
    for name in ("PIPELOOM_URL", "PIPELOOM_SDK_TOKEN", "CRAFT_AI_SDK_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    return lambda line: CliRunner().invoke(app, shlex.split(line))

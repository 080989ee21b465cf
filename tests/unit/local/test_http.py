"""What is asked of the stack's own services."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from pipeloom.local.http import is_refused, open_http, reasons
from pipeloom.local.ports import HOST, pick_port

STATUS = {"known": 200, "revoked": 401, "x" * 2000: 422, "when Postgres is away": 503}


class Gateway(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def do_POST(self) -> None:
        token = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["refresh_token"]
        self.send_response(STATUS[token] if self.path == "/api/v1/auth/refresh" else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture
def gateway() -> Iterator[str]:
    with ThreadingHTTPServer((HOST, 0), Gateway) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://{HOST}:{server.server_port}"
        server.shutdown()


@pytest.fixture
def _a_proxy_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://{HOST}:{pick_port()}")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(("token", "status"), STATUS.items(), ids=[str(status) for status in STATUS.values()])
async def test_a_token_is_refused_only_when_the_service_says_so(gateway: str, token: str, status: int) -> None:
    assert await is_refused(gateway, token) == (status in {401, 422})


async def test_a_service_that_is_not_there_refuses_no_token() -> None:
    assert not await is_refused(f"http://{HOST}:{pick_port()}", "token")


@pytest.mark.usefixtures("_a_proxy_that_is_not_there")
async def test_no_proxy_is_asked_for_this_machine(gateway: str) -> None:
    async with open_http() as http:
        assert (await http.get(gateway)).status_code == 200


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (
            httpx.Response(503, json={"parts": {"kafka": "ok", "postgres": "starting", "x": "y"}}),
            "postgres: starting; x: y",
        ),
        (httpx.Response(500, text="Internal"), "its health page answers 500"),
        (httpx.Response(503, json=["a list"]), "its health page answers 503"),
    ],
)
def test_the_reasons_are_those_of_the_parts_that_are_not_well(answer: httpx.Response, told: str) -> None:
    assert reasons(answer) == told

"""HEAD beside GET, bodies that come in time and as they stand, and a description that needs no internet."""

import asyncio
import re
from collections.abc import AsyncIterator
from urllib.parse import urljoin

import httpx
import pytest
from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse

from pipeloom.local.ports import HOST, pick_port
from services.kit.health import Health
from services.kit.process import serving
from services.kit.web import json_response, make_app


def router() -> APIRouter:
    routes = APIRouter()

    @routes.get("/endless")
    async def endless() -> Response:
        async def lines() -> AsyncIterator[str]:
            yield "one"
            await asyncio.Event().wait()

        return StreamingResponse(lines())

    @routes.post("/echo")
    async def echo(request: Request) -> Response:
        return json_response(await request.body())

    return routes


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """Where a real server answers, whose bodies have half a second to come."""
    found = pick_port()
    async with serving(make_app("test", [router()], Health(), body_timeout_s=0.5), HOST, found):
        yield found


async def test_head_is_answered_as_get_without_the_body(http: httpx.AsyncClient) -> None:
    got, head = await http.get("/things/1"), await http.head("/things/1")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == got.headers["content-length"]
    assert head.headers["content-type"] == got.headers["content-type"]


@pytest.mark.parametrize(("address", "status"), [("/echo", 405), ("/nowhere", 404), ("/refused/step_not_found", 404)])
async def test_head_is_refused_where_get_is(http: httpx.AsyncClient, address: str, status: int) -> None:
    head = await http.head(address)
    assert (head.status_code, head.content) == (status, b"")
    assert "x-request-id" in head.headers


async def test_head_is_not_in_the_description(http: httpx.AsyncClient) -> None:
    paths = (await http.get("/openapi.json")).json()["paths"]
    assert all("head" not in methods for methods in paths.values())


async def test_head_on_a_stream_without_end_ends(port: int) -> None:
    async with httpx.AsyncClient(base_url=f"http://{HOST}:{port}", timeout=5) as client:
        for _ in range(2):
            assert (await client.head("/api/v1/endless")).status_code == 200


@pytest.mark.parametrize("framing", ["Content-Length: 10", "Transfer-Encoding: chunked"])
async def test_half_a_body_is_refused_in_time_and_the_connection_closed(port: int, framing: str) -> None:
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        writer.write(f"POST /api/v1/echo HTTP/1.1\r\nHost: x\r\n{framing}\r\n\r\n".encode())
        answer = await asyncio.wait_for(reader.read(), 5)
    finally:
        writer.close()
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'"name":"request_timeout"' in answer
    assert b"connection: close" in answer.lower()


async def test_a_body_that_comes_late_but_in_time_is_read(http: httpx.AsyncClient) -> None:
    async def late() -> AsyncIterator[bytes]:
        yield b"1"
        await asyncio.sleep(0.05)
        yield b"2"

    assert (await http.post("/echo", content=late())).json() == {"bytes": 2}


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate, gzip"])
async def test_a_compressed_body_is_refused_with_a_sentence(http: httpx.AsyncClient, encoding: str) -> None:
    response = await http.post("/echo", content=b"x", headers={"Content-Encoding": encoding})
    assert (response.status_code, response.json()["name"]) == (415, "unsupported_media_type")
    assert f"The body is compressed (Content-Encoding: {encoding})" in response.json()["message"]


@pytest.mark.parametrize("encoding", ["", "identity", "Identity"])
async def test_a_body_as_it_stands_is_read(http: httpx.AsyncClient, encoding: str) -> None:
    response = await http.post("/echo", content=b"x", headers={"Content-Encoding": encoding})
    assert response.json() == {"bytes": 1}


async def test_the_page_for_people_needs_nothing_from_elsewhere(http: httpx.AsyncClient) -> None:
    page = await http.get("http://pipeloom.test/docs")
    assert page.status_code == 200
    links = re.findall(r"(?:src|href)=\"([^\"]+)\"", page.text)
    assert len(links) >= 3
    for link in links:
        assert not re.match(r"(https?:)?//", link), link
        assert (await http.get(urljoin("http://pipeloom.test/docs", link))).status_code == 200
    assert "/api/v1/openapi.json" in page.text
    assert (await http.get("http://pipeloom.test/redoc")).status_code == 404

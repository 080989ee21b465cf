"""Proxies of the environment: taken for other machines, never for this one, and named when they are in the way."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from pipeloom import AsyncClient, Client, NotConfigured, PipeloomError, Unavailable
from pipeloom.client import delivery
from pipeloom.client.proxies import is_loopback, proxy_for

VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUEST_METHOD")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
async def door() -> AsyncIterator[str]:
    """A server on this machine that answers every request with 418 and says so."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 418 I am a teapot\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.mark.parametrize(
    ("url", "proxy"),
    [
        ("http://pipeloom.test", "http://plain.test:3128"),
        ("https://pipeloom.test", "http://secure.test"),
        ("http://inside.test:8000", None),
        ("http://127.0.0.1:8000", None),
        ("http://127.8.9.1", None),
        ("https://localhost", None),
        ("http://pipeloom.localhost", None),
        ("http://[::1]:8000", None),
    ],
)
def test_a_proxy_is_for_other_machines(monkeypatch: pytest.MonkeyPatch, url: str, proxy: str | None) -> None:
    monkeypatch.setenv("HTTP_PROXY", "plain.test:3128")
    monkeypatch.setenv("HTTPS_PROXY", "http://secure.test")
    monkeypatch.setenv("NO_PROXY", "inside.test")
    assert proxy_for(httpx.URL(url)) == proxy


def test_without_one_of_its_own_a_scheme_takes_the_proxy_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "http://all.test")
    assert proxy_for(httpx.URL("https://pipeloom.test")) == "http://all.test"


@pytest.mark.parametrize("host", ["10.0.0.1", "pipeloom.test", "localhost.test", "::2"])
def test_another_machine_is_not_taken_for_this_one(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize("kind", [Client, AsyncClient])
async def test_a_service_on_this_machine_is_asked_directly(
    monkeypatch: pytest.MonkeyPatch, door: str, kind: type[Client | AsyncClient]
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with pytest.raises(PipeloomError, match=f"http://{door}/api/v1/auth/refresh answered 418"):
        await listed(kind, f"http://{door}")


@pytest.mark.parametrize("kind", [Client, AsyncClient])
async def test_an_answer_of_the_proxy_names_it_without_its_password(
    monkeypatch: pytest.MonkeyPatch, door: str, kind: type[Client | AsyncClient]
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://me:secret@{door}")
    with pytest.raises(PipeloomError, match="answered 418") as caught:
        await listed(kind, "http://pipeloom.test")
    assert f"(through the proxy http://{door})" in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("kind", [Client, AsyncClient])
async def test_a_proxy_that_is_not_there_is_named(
    monkeypatch: pytest.MonkeyPatch, kind: type[Client | AsyncClient]
) -> None:
    monkeypatch.setattr(delivery, "FIRST_PAUSE_S", 0.0)
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with pytest.raises(Unavailable, match=r"through the proxy http://127\.0\.0\.1:1\)"):
        await listed(kind, "http://pipeloom.test")


@pytest.mark.parametrize("proxy", ["gopher://proxy.test", "http://proxy.test:port"])
def test_a_proxy_that_cannot_be_used_is_told(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy)
    with pytest.raises(NotConfigured, match=f"The proxy {proxy} cannot be used") as caught:
        Client("http://pipeloom.test", "token")
    assert "NO_PROXY" in caught.value.message


async def listed(kind: type[Client | AsyncClient], url: str) -> object:
    client = kind(url, "token")
    if isinstance(client, AsyncClient):
        async with client:
            return await client.list_pipelines()
    with client:
        return await asyncio.to_thread(client.list_pipelines)

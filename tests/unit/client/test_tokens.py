"""Access tokens: fetched when needed, kept while they last, replaced once when refused."""

import json

import httpx
import pytest

from pipeloom import Client, NotConfigured, Unauthenticated, Unreadable
from pipeloom.client.session import expiry_of

from .conftest import Caller, Service, access_token

REFUSAL = {"name": "invalid_token", "message": "The token is not one of ours"}


async def test_the_sdk_token_is_exchanged_once_for_many_calls(call: Caller, service: Service) -> None:
    service.answers(200, []).answers(200, [])

    await call("list_steps")
    await call("list_pipelines")

    assert len(service.refreshes) == 1
    assert json.loads(service.refreshes[0].content) == {"refresh_token": "the-sdk-token"}
    assert "authorization" not in service.refreshes[0].headers
    assert {len(request.headers["authorization"].split(".")) for request in service.requests} == {3}


async def test_a_token_about_to_expire_is_replaced_before_the_call(call: Caller, service: Service) -> None:
    service.token_life_s = 29
    service.answers(200, []).answers(200, [])

    await call("list_steps")
    await call("list_steps")

    assert len(service.refreshes) == 2


async def test_a_refused_token_is_replaced_and_the_call_made_again_with_its_key(call: Caller, service: Service) -> None:
    service.answers(401, REFUSAL).answers(200, {"pipeline_name": "p"})

    assert await call("create_pipeline", "p", "s") == {"pipeline_name": "p"}

    first, second = service.requests
    assert first.headers["authorization"] != second.headers["authorization"]
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]


async def test_a_token_refused_twice_is_told(call: Caller, service: Service) -> None:
    service.answers(401, REFUSAL).answers(401, REFUSAL)
    with pytest.raises(Unauthenticated, match="not one of ours"):
        await call("list_steps")


async def test_a_refused_sdk_token_is_told(call: Caller, service: Service) -> None:
    service.refresh_answer = httpx.Response(401, json=REFUSAL)
    with pytest.raises(Unauthenticated) as caught:
        await call("list_steps")
    assert caught.value.code == "invalid_token"


async def test_an_answer_without_an_access_token_is_told(call: Caller, service: Service) -> None:
    service.refresh_answer = httpx.Response(200, json={"token": "x"})
    with pytest.raises(Unreadable, match="no access token"):
        await call("list_steps")


@pytest.mark.parametrize("text", ["", "opaque", "a.b.c", "a.e30.c", "a.WzFd.c"])
def test_a_token_that_does_not_say_when_it_expires_serves_once(text: str) -> None:
    assert expiry_of(text) == 0.0


def test_the_expiry_of_a_token_is_read_without_a_key() -> None:
    assert expiry_of(access_token("t", life_s=60)) - expiry_of(access_token("t", life_s=0)) == pytest.approx(60, abs=5)


def test_address_and_token_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, service: Service) -> None:
    monkeypatch.setenv("PIPELOOM_URL", "http://elsewhere.test/base/")
    monkeypatch.delenv("PIPELOOM_SDK_TOKEN", raising=False)
    monkeypatch.setenv("CRAFT_AI_SDK_TOKEN", "theirs")
    service.answers(200, [])

    with Client(transport=httpx.MockTransport(service.handle)) as client:
        client.list_steps()

    assert str(service.request.url) == "http://elsewhere.test/base/api/v1/steps"
    assert json.loads(service.refreshes[0].content) == {"refresh_token": "theirs"}


@pytest.mark.parametrize(
    ("url", "token", "told"),
    [
        (None, "t", "Set PIPELOOM_URL"),
        ("http://pipeloom.test", None, "Set PIPELOOM_SDK_TOKEN"),
        ("localhost:8000", "t", "must begin with http"),
        ("http://", "t", "must begin with http"),
        ("http://host:port", "t", "cannot be used"),
    ],
)
def test_a_client_that_cannot_work_says_what_to_set(
    monkeypatch: pytest.MonkeyPatch, url: str | None, token: str | None, told: str
) -> None:
    for name in ("PIPELOOM_URL", "PIPELOOM_SDK_TOKEN", "CRAFT_AI_SDK_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(NotConfigured, match=told):
        Client(url, token)

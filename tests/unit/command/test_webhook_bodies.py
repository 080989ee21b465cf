"""What is wrong with the body of a webhook, in words."""

import json
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from services.command.webhooks import NewWebhook, WebhookChange
from services.kit.problems import add_problem_handlers

URL = "https://example.org/"


@pytest.fixture
def app() -> FastAPI:
    """An application that takes the bodies and does nothing with them."""
    app = FastAPI()
    add_problem_handlers(app)

    @app.post("/new")
    async def new(body: NewWebhook) -> str:
        return body.url

    @app.post("/change")
    async def change(body: WebhookChange) -> str:
        return body.url

    return app


@pytest.mark.parametrize(
    ("address", "body", "message"),
    [
        ("/new", {"url": URL, "types": []}, "types: must have at least 1 entry, and has 0."),
        ("/new", {"url": ""}, "url: must have a character."),
        ("/new", {}, "url: is missing."),
        ("/new", {"url": URL, "foo": 1}, "foo: is no field here; the known ones are url, types, subject."),
        ("/new", {"url": URL, "subject": "a\0"}, "subject: must not have a NUL character in it."),
        ("/change", {}, "body: nothing is to be changed; send one of url, types, subject and status."),
        ("/change", {"secret": "x"}, "secret: is no field here; the known ones are url, types, subject, status."),
        ("/change", {"status": "off"}, "status: must be 'enabled' or 'disabled'."),
        ("/change", [], "body: must be an object, and is a list."),
    ],
)
async def test_a_wrong_webhook_is_refused_in_words(app: FastAPI, address: str, body: Any, message: str) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://pipeloom") as http:
        headers = {"Content-Type": "application/json"}
        response = await http.post(address, content=json.dumps(body), headers=headers)
    told = response.json()
    assert (response.status_code, told["name"], told["message"]) == (422, "invalid_body", message)

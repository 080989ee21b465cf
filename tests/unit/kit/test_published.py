"""The contract of the topics over HTTP, beside the API."""

import json
import re
from html.parser import HTMLParser

import httpx
import pytest

from events.asyncapi import DOCUMENT
from events.envelope import schema_uri
from events.releases import SCHEMAS
from events.results import RESULTS
from services.kit.asyncapi_page import asyncapi_page

SITE = "http://pipeloom.test"
SCHEMA = "/schemas/events/PipelineCreated.v1.json"
VOID = {"meta", "link", "br", "img", "input"}


class Outline(HTMLParser):
    """What a page links to and what can be linked to; fails when its elements are not nested rightly."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: list[str] = []
        self.tags: set[str] = set()
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        self.tags.add(tag)
        self.links += [text for name in ("href", "src") if (text := told.get(name))]
        self.anchors += [text for text in [told.get("id")] if text]
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag


def document() -> dict[str, object]:
    told: dict[str, object] = json.loads(DOCUMENT.read_text())
    return told


async def test_the_document_is_served_as_it_is_checked_in(http: httpx.AsyncClient) -> None:
    answer = await http.get(f"{SITE}/asyncapi.json")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.content == DOCUMENT.read_bytes()


async def test_the_page_shows_every_channel_and_message_and_every_link_of_it_leads_somewhere(
    http: httpx.AsyncClient,
) -> None:
    answer = await http.get(f"{SITE}/asyncapi")
    page = Outline(answer.text)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert {"channel-commands", "channel-events", "message-StepReady.v1", "message-StepRequested.v1"} <= {*page.anchors}
    assert len(page.anchors) == len(set(page.anchors))
    inside = {link.removeprefix("#") for link in page.links if link.startswith("#")}
    assert inside <= {*page.anchors}
    outside = {link for link in page.links if not link.startswith("#")}
    assert {"asyncapi.json", "docs", SCHEMA.removeprefix("/")} <= outside
    for link in outside:
        assert (await http.get(f"{SITE}/{link}")).status_code == 200, link


async def test_the_page_runs_nothing_and_asks_nobody_else(http: httpx.AsyncClient) -> None:
    answer = await http.get(f"{SITE}/asyncapi")
    page = Outline(answer.text)
    assert not page.tags & {"script", "iframe", "img", "link", "form"}
    assert not [link for link in page.links if re.match(r"\w+:|//", link)]
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_whatever_the_document_says_is_text_on_the_page() -> None:
    bad = "</pre><script>alert('\"&')</script>"
    text = (
        json.dumps(document()).replace('"churn"', json.dumps(bad)).replace("Ask for a pipeline", json.dumps(bad)[1:-1])
    )
    page = asyncapi_page(json.loads(text))
    assert "alert(" in page
    assert "script" not in Outline(page).tags


async def test_the_dataschema_of_every_event_leads_to_its_schema(http: httpx.AsyncClient) -> None:
    for name, model in RESULTS.items():
        uri = schema_uri("events", name, model.version)
        answer = await http.get(httpx.URL(SITE).join(httpx.URL(uri).raw_path.decode()))
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/schema+json")
        assert answer.json()["$id"] == uri


@pytest.mark.parametrize("path", ["/asyncapi", "/asyncapi.json", SCHEMA])
async def test_who_has_it_already_is_told_so(http: httpx.AsyncClient, path: str) -> None:
    first = await http.get(f"{SITE}{path}")
    assert first.headers["cache-control"] == "public, max-age=3600"
    for known in (first.headers["etag"], f'"x", W/{first.headers["etag"]}', "*"):
        again = await http.get(f"{SITE}{path}", headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert (await http.get(f"{SITE}{path}", headers={"If-None-Match": '"x"'})).status_code == 200


@pytest.mark.parametrize("path", ["/asyncapi", "/asyncapi.json", SCHEMA])
async def test_they_answer_head_and_refuse_to_be_written(http: httpx.AsyncClient, path: str) -> None:
    told, head = await http.get(f"{SITE}{path}"), await http.head(f"{SITE}{path}")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == told.headers["content-length"]
    refused = await http.post(f"{SITE}{path}")
    assert (refused.status_code, refused.json()["name"], refused.headers["allow"]) == (
        405,
        "method_not_allowed",
        "GET, HEAD",
    )


@pytest.mark.parametrize(
    "path",
    [
        "/asyncapi/",
        "/schemas",
        "/schemas/",
        "/schemas/events",
        "/schemas/events/PipelineCreated.v2.json",
        "/schemas/openapi.json",
        "/schemas/released/0.1.0/events/PipelineCreated.v1.json",
        "/schemas/events/%2e%2e/openapi.json",
        "/schemas/..%2f..%2fpyproject.toml",
    ],
)
async def test_there_is_nothing_else(http: httpx.AsyncClient, path: str) -> None:
    answer = await http.get(f"{SITE}{path}")
    assert (answer.status_code, answer.json()["name"]) == (404, "not_found")
    assert (SCHEMAS / "openapi.json").exists()

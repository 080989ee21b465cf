"""The one shape of every error over HTTP (design: Answering)."""

from typing import Any

import httpx

KEYS = {"name", "message", "request_id", "additional_data", "type", "title", "status", "detail", "instance"}


def problem(response: httpx.Response, status: int, name: str) -> dict[str, Any]:
    """Return the problem that `response` tells, once it has the status, the name and the shape that it must have."""
    assert response.headers["content-type"] == "application/problem+json", response.text
    body: dict[str, Any] = response.json()
    assert (response.status_code, body["name"]) == (status, name), body
    assert set(body) == KEYS
    assert body["status"] == status
    assert body["type"] == f"urn:pipeloom:problem:{name}"
    assert body["request_id"] == response.headers["x-request-id"]
    assert body["instance"] in {response.url.path, response.url.raw_path.decode().partition("?")[0]}
    assert isinstance(body["message"], str)
    assert body["message"] == body["detail"]
    assert body["message"].endswith(".")
    assert isinstance(body["title"], str)
    assert body["title"]
    assert isinstance(body["additional_data"], dict)
    return body

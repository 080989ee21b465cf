"""Holds answers to the OpenAPI document: a status, a media type, a header or a key that it does not tell is a fault."""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs

DOCUMENT = Path(__file__).resolve().parents[2] / "schemas" / "openapi.json"
# Refusals that any address may give; the document tells of them in its introduction.
OF_ANY_ADDRESS = {405, 408, 413, 415}


class Contract:
    """What the document says, with objects closed: an answer may have no key that is not told."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        self._components = {"components": _closed(document["components"])}
        self._paths = [(re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), path) for path in document["paths"]]

    def operation(self, method: str, path: str) -> dict[str, Any] | None:
        """Return what is told of a request to `path`, or None when nothing is."""
        # An address without parameters comes before one that has a parameter in the same place.
        matching = sorted(
            (told for pattern, told in self._paths if pattern.fullmatch(path)), key=lambda told: "{" in told
        )
        for told in matching:
            operation: dict[str, Any] | None = self._document["paths"][told].get(method.lower())
            if operation:
                return operation
        return None

    def answers(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Give every answer of every operation, with a name."""
        for operations in self._document["paths"].values():
            for operation in operations.values():
                for status, answer in operation["responses"].items():
                    yield f"{operation['operationId']} {status}", self.resolved(answer)

    def resolved(self, part: dict[str, Any]) -> dict[str, Any]:
        """Return a part, or what it refers to."""
        if "$ref" not in part:
            return part
        place: Any = self._document
        for key in part["$ref"].removeprefix("#/").split("/"):
            place = place[key]
        assert isinstance(place, dict)
        return place

    def faults(self, schema: Mapping[str, Any], value: object) -> list[str]:
        """Return how `value` does not fit."""
        return [error.message for error in self._validator(json.dumps(schema, sort_keys=True)).iter_errors(value)]

    def _validator(self, schema: str) -> Any:
        return _compiled(self, schema)

    def breaches(self, response: httpx.Response) -> list[str]:
        """Return what an answer has that the document does not tell."""
        operation = self.operation(response.request.method, response.request.url.path)
        if operation is None:
            return []
        answer = operation["responses"].get(str(response.status_code))
        if answer is None:
            return [] if response.status_code in OF_ANY_ADDRESS else [f"status {response.status_code} is not told"]
        told = self.resolved(answer)
        absent = [f"no header {name}" for name in ("X-Request-Id",) if name not in response.headers]
        return absent + self._content_breaches(told.get("content", {}), response)

    def _content_breaches(self, told: Mapping[str, Any], response: httpx.Response) -> list[str]:
        media_type = response.headers.get("content-type", "").partition(";")[0]
        if not told:
            return [f"a document of {media_type} where none is told"] if response.content else []
        if media_type not in told:
            return [f"{media_type} is not told"]
        return self.faults(told[media_type]["schema"], response.json()) if media_type.endswith("json") else []

    @property
    def components(self) -> dict[str, Any]:
        """Return the closed components."""
        return self._components


@cache
def _compiled(contract: Contract, schema: str) -> Any:
    return jsonschema_rs.Draft202012Validator({**contract.components, **_closed(json.loads(schema))})


def _closed(part: Any) -> Any:
    """Return `part` with every object of told keys closed. What is told of a problem beside its shape stays open."""
    if isinstance(part, list):
        return [_closed(each) for each in part]
    if not isinstance(part, dict):
        return part
    closed = {key: _closed(value) for key, value in part.items()}
    if part.get("type") == "object" and isinstance(part.get("properties"), dict):
        closed.setdefault("additionalProperties", False)
    return closed


@cache
def contract() -> Contract:
    """Return the contract of the document as it is checked in."""
    return Contract(json.loads(DOCUMENT.read_text(encoding="utf-8")))

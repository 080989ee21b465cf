"""The bytes of requests, prepared before the clock runs."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# Stands for the name of the resource, in the path and in the body.
NAME = "{name}"


@dataclass(frozen=True, slots=True)
class Template:
    """A request for any one of many resources whose names have the same length."""

    method: str
    path: str
    body: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def pieces(self, name_length: int) -> list[bytes]:
        """Return what stands before, between and behind the names; join them with a name for a request."""
        body = b"" if self.body is None else json.dumps(self.body).encode()
        length = len(body) + body.count(NAME.encode()) * (name_length - len(NAME))
        lines = [f"{self.method} {self.path} HTTP/1.1", "Host: 127.0.0.1", "Accept: application/json"]
        lines += [f"{key}: {value}" for key, value in self.headers.items()]
        if body:
            lines += ["Content-Type: application/json", f"Content-Length: {length}"]
        return ("\r\n".join(lines).encode() + b"\r\n\r\n" + body).split(NAME.encode())


def numbered(prefix: str, number: int) -> str:
    """Return a name whose length does not depend on its number."""
    return f"{prefix}{number:07d}"

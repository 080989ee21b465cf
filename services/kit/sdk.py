"""Which craft-ai-sdk sends a request, and how its version spells a step's status (source: sdk-contract 5.3)."""

import re
from typing import NamedTuple

import pydantic_core
from starlette.requests import Request

from events.resources import StepStatus

HEADER = "craft-ai-client"
# Answers differ by the client's version, and caches have to know.
VARY = {"Vary": HEADER}

_SDK = re.compile(r"craft-ai-sdk@(\d{1,4})\.(\d{1,4})")
_SPELLED = {
    StepStatus.PENDING: "creation_pending",
    StepStatus.READY: "ready",
    StepStatus.FAILED: "creation_failed",
}
_TOKENS = [(f'"status":"{status}"', f'"status":"{spelled}"') for status, spelled in _SPELLED.items()]


class SdkVersion(NamedTuple):
    """The version of a craft-ai-sdk, as far as it matters."""

    major: int
    minor: int

    @property
    def spells_lower_case(self) -> bool:
        """Tell whether it waits for `ready`, not for `Ready`."""
        return self >= (0, 50)

    @property
    def knows_failed(self) -> bool:
        """Tell whether it knows a failed step; before, it reads a 404 as that and all else as "go on waiting"."""
        return self >= (0, 52)


# Other clients read what our own documentation says.
_OURS = SdkVersion(0, 49)


def sdk_version(request: Request) -> SdkVersion | None:
    """Return the version of the craft-ai-sdk that asks, or None when it is another client."""
    match = _SDK.match(request.headers.get(HEADER, ""))
    return SdkVersion(int(match[1]), int(match[2])) if match else None


def spelled_page(request: Request, document: str) -> str:
    """Return a step's stored page with its status as the client spells it."""
    if not (sdk_version(request) or _OURS).spells_lower_case:
        return document
    # Only creation_info stands behind the parameters, which may hold such a text too.
    start = document.rindex('"status":"')
    return document[:start] + _respelled(document[start:])


def spelled_entries(request: Request, entries: str) -> str:
    """Return steps' stored list entries, joined, with their status as the client spells it."""
    if not (sdk_version(request) or _OURS).spells_lower_case:
        return entries
    steps = pydantic_core.from_json(f"[{entries}]")
    for step in steps:
        step["status"] = _SPELLED[step["status"]]
    return pydantic_core.to_json(steps).decode()[1:-1]


def _respelled(text: str) -> str:
    """Return `text` with its first status respelled."""
    start = text.index('"status":"')
    for ours, theirs in _TOKENS:
        if text.startswith(ours, start):
            return text[:start] + theirs + text[start + len(ours) :]
    return text


def knows_failed(request: Request) -> bool:
    """Tell whether the client can be given a step whose build failed."""
    version = sdk_version(request)
    return version is None or version.knows_failed

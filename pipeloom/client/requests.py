"""What is asked, as plain values: no network, no clock. The reads are here, the writes beside."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Generic, TypeVar
from urllib.parse import quote

from pipeloom.client.documents import Activity, Command, LogLine, Schedule, User
from pipeloom.client.upload import Upload

Document = dict[str, Any]
T = TypeVar("T")

# The service itself waits 30 s for the result of a write, and as long for a step to be built.
HELD_TIMEOUT_S = 40.0
# A stream gives a sign of life every 15 s.
SILENCE_S = 45.0
EVENT_STREAM = "text/event-stream"


@dataclass(frozen=True, slots=True)
class Request(Generic[T]):
    """One request, answered with a `T`. `absent` is the code of a 404 that means "there is none", not an error."""

    method: str
    path: str
    shape: type[Any]
    body: Document | None = None
    upload: Upload | None = None
    query: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    idempotency_key: str | None = None
    prefer: str | None = None
    absent: str | None = None
    timeout_s: float | None = None
    after_s: float = 0.0

    @property
    def is_write(self) -> bool:
        return self.idempotency_key is not None


def path_to(collection: str, name: str) -> str:
    """Return the path of the resource `name`, whatever characters it is made of."""
    segment = quote(name, safe="")
    if not segment.strip("."):
        segment = segment.replace(".", "%2E")  # else `..` would climb out of the collection
    return f"{collection}/{segment}"


def read_one(collection: str, name: str, absent: str) -> Request[Any]:
    return Request("GET", path_to(collection, name), dict, absent=absent)


def read_all(collection: str) -> Request[Any]:
    return Request("GET", collection, list)


def first_page_of(request: Request[T], size: int) -> Request[T]:
    """Ask for the beginning of a list."""
    return replace(request, query={**request.query, "limit": str(size)})


def download_of(step_name: str) -> Request[Document]:
    return Request("GET", f"{path_to('/steps', step_name)}/download", dict)


def content_at(url: str) -> Request[bytes]:
    """Ask for what a signed URL leads to."""
    return Request("GET", url, bytes)


def logs_of(
    collection: str, name: str, from_datetime: datetime | None, to_datetime: datetime | None, limit: int | None
) -> Request[list[LogLine]]:
    """Ask for the log of a resource; a moment without a zone is one of this machine's."""
    wanted = {"from": _milliseconds(from_datetime), "to": _milliseconds(to_datetime), "limit": limit}
    given = {key: value for key, value in wanted.items() if value is not None}
    return Request("POST", f"{path_to(collection, name)}/logs", list, body=given)


def schedule_of(deployment_name: str) -> Request[Schedule]:
    return Request("GET", f"{path_to('/deployments', deployment_name)}/schedule", dict)


def step_once_built(step_name: str, timeout_s: float, *, after_s: float) -> Request[Any]:
    """Ask for a step, to be answered when it is no longer Pending or the service's patience ends."""
    return Request(
        "GET",
        path_to("/steps", step_name),
        dict,
        query={"wait_for_completion": "true"},
        timeout_s=timeout_s,
        after_s=after_s,
    )


def command(command_id: str, wait_s: int) -> Request[Command]:
    query = {"wait": str(wait_s)} if wait_s > 0 else {}
    return Request("GET", path_to("/commands", command_id), dict, query=query, timeout_s=wait_s + 10)


def activity(minutes: int) -> Request[Activity]:
    return Request("GET", "/activity", dict, query={"minutes": str(minutes)})


def events(query: Mapping[str, Any], last_id: str) -> Request[Document]:
    """Ask for the stream of events, behind the one with `last_id` if there is one."""
    headers = {"Accept": EVENT_STREAM, **({"Last-Event-ID": last_id} if last_id else {})}
    return Request("GET", "/events", dict, query=query, headers=headers, timeout_s=SILENCE_S)


def refresh(sdk_token: str) -> Request[Document]:
    return Request("POST", "/auth/refresh", dict, body={"refresh_token": sdk_token})


def me() -> Request[User]:
    return Request("GET", "/users/me", dict)


def user(user_id: str) -> Request[User]:
    return Request("GET", path_to("/users", user_id), dict)


def _milliseconds(moment: datetime | None) -> int | None:
    return None if moment is None else round(moment.timestamp() * 1000)

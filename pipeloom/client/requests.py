"""What each call asks for, as plain values: no network, no clock."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from urllib.parse import quote
from uuid import uuid4

Document = dict[str, Any]
T = TypeVar("T")

# The service itself waits 30 s for the result of a write, and as long for a step to be built.
HELD_TIMEOUT_S = 40.0


@dataclass(frozen=True, slots=True)
class Request(Generic[T]):
    """One request. `absent` is the code of a 404 that means "there is none" rather than an error."""

    method: str
    path: str
    shape: type[T]
    body: Document | None = None
    query: Mapping[str, str] = field(default_factory=dict)
    idempotency_key: str | None = None
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


def read_one(collection: str, name: str, absent: str) -> Request[Document]:
    return Request("GET", path_to(collection, name), dict, absent=absent)


def read_all(collection: str) -> Request[list[Document]]:
    return Request("GET", collection, list)


def create(collection: str, body: Document, idempotency_key: str | None) -> Request[Document]:
    """Ask for a resource; fields that are None are left out."""
    given = {name: value for name, value in body.items() if value is not None}
    return Request("POST", collection, dict, body=given, idempotency_key=idempotency_key or str(uuid4()))


def delete(collection: str, name: str, idempotency_key: str | None, **flags: bool) -> Request[Document]:
    return Request(
        "DELETE",
        path_to(collection, name),
        dict,
        query={flag: str(value).lower() for flag, value in flags.items()},
        idempotency_key=idempotency_key or str(uuid4()),
    )


def create_pipeline(pipeline_name: str, step_name: str, idempotency_key: str | None) -> Request[Document]:
    return create("/pipelines", {"pipeline_name": pipeline_name, "step_names": [step_name]}, idempotency_key)


def create_deployment(execution_rule: str, body: Document, idempotency_key: str | None) -> Request[Document]:
    """Ask for a deployment at the address of its rule. Raises ValueError on a rule that there is not."""
    addresses = {"endpoint": "/endpoints", "periodic": "/periodic-deployment"}
    if execution_rule not in addresses:
        raise ValueError(f"execution_rule is '{execution_rule}'; it must be one of {', '.join(addresses)}")
    return create(addresses[execution_rule], body, idempotency_key)


def step_once_built(step_name: str, timeout_s: float, *, after_s: float) -> Request[Document]:
    """Ask for a step, to be answered when it is no longer Pending or the service's patience ends."""
    return Request(
        "GET",
        path_to("/steps", step_name),
        dict,
        query={"wait_for_completion": "true"},
        timeout_s=timeout_s,
        after_s=after_s,
    )


def command(command_id: str, wait_s: int) -> Request[Document]:
    query = {"wait": str(wait_s)} if wait_s > 0 else {}
    return Request("GET", path_to("/commands", command_id), dict, query=query, timeout_s=wait_s + 10)


def refresh(sdk_token: str) -> Request[Document]:
    return Request("POST", "/auth/refresh", dict, body={"refresh_token": sdk_token})


def me() -> Request[Document]:
    return Request("GET", "/users/me", dict)

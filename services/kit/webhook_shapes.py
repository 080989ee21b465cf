"""The shapes of webhooks and deliveries for the OpenAPI document, and an example of each."""

from typing import Annotated, Any, Literal

from pydantic import Field
from typing_extensions import TypedDict

from events.resources import Timestamp as Time
from services.kit.examples import AT, COMMAND_ID, LATER, USER_ID

WEBHOOK_ID = "0198c5f2-b210-7a44-b0de-6a3f0f8f2c77"


class Webhook(TypedDict):
    """A webhook; `types` is null when it is told of all of them."""

    id: str
    url: str
    types: list[str] | None
    subject: str
    status: Literal["enabled", "disabled"]
    disabled_reason: str | None
    disabled_at: Time | None
    failing_since: Annotated[
        Time | None, Field(description="When the first attempt failed behind the last one that succeeded")
    ]
    created_by: str
    created_at: Time


class WebhookMade(Webhook):
    """A webhook that was just made, with its secret."""

    secret: str


class WebhookGone(TypedDict):
    """The id of a webhook that was deleted."""

    id: str


class Delivery(TypedDict):
    """An event on its way to a webhook; `next_attempt_at` is null once it is delivered, or failed for good."""

    sequence: int
    event_id: str
    type: str
    subject: str
    status: Literal["pending", "delivered", "failed"]
    attempts: int
    next_attempt_at: Time | None
    last_attempt_at: Time | None
    last_status_code: int | None
    last_error: str | None


A_WEBHOOK: dict[str, Any] = {
    "id": WEBHOOK_ID,
    "url": "https://hooks.example/pipeloom",
    "types": ["PipelineCreated"],
    "subject": "pipelines/",
    "status": "enabled",
    "disabled_reason": None,
    "disabled_at": None,
    "failing_since": LATER,
    "created_by": USER_ID,
    "created_at": AT,
}
A_DELIVERY: dict[str, Any] = {
    "sequence": 17,
    "event_id": f"{COMMAND_ID}.0",
    "type": "PipelineCreated",
    "subject": "pipelines/churn",
    "status": "pending",
    "attempts": 1,
    "next_attempt_at": LATER,
    "last_attempt_at": AT,
    "last_status_code": 503,
    "last_error": "The receiver answered 503.",
}

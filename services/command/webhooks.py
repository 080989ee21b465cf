"""The addresses that change webhooks."""

from typing import Annotated, Any, Literal
from uuid import UUID

import pydantic_core
from fastapi import APIRouter
from pydantic import ConfigDict, Field, model_validator
from starlette.requests import Request
from starlette.responses import Response

from events.codec import MAX_ATTRIBUTE_LENGTH
from events.patterns import NO_NUL
from events.refusals import Code, Refused
from services.command import webhook_contract as contract
from services.command import webhook_store as store
from services.command.submit import command_id_of
from services.kit.backend import Backend
from services.kit.closed import Closed
from services.kit.parameters import DeliverySequence, EventType
from services.kit.sealing import SealBroken
from services.kit.web import Asker, json_response
from services.kit.webhook_documents import delivery_document, webhook_document
from services.kit.webhook_secrets import new_secret, open_secret, seal_secret
from services.kit.webhook_urls import MAX_URL_LENGTH, demand_usable_url
from services.kit.writing import writing

THE_WEBHOOK = "the webhook"
NOT_KEPT = {"Cache-Control": "no-store"}

Url = Annotated[
    str, Field(min_length=1, max_length=MAX_URL_LENGTH, description="Where the events are posted to, by https")
]
Types = Annotated[
    list[EventType] | None,
    Field(min_length=1, max_length=100, description="Only events of these types; null: of all"),
]
Subject = Annotated[
    str,
    NO_NUL,
    Field(
        max_length=MAX_ATTRIBUTE_LENGTH,
        description="Only events whose subject begins so, for example `pipelines/`",
    ),
]


class NewWebhook(Closed):
    """A webhook that is asked for."""

    model_config = ConfigDict(json_schema_extra={"example": contract.NEW_WEBHOOK})

    url: Url
    types: Types = None
    subject: Subject = ""


class WebhookChange(Closed):
    """What is to be changed of a webhook; the rest stays as it is."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "example": {"status": "enabled"}})

    url: Url = ""
    types: Types = None
    subject: Subject = ""
    status: Literal["enabled", "disabled"] = "enabled"

    @model_validator(mode="after")
    def _says_something(self) -> "WebhookChange":
        if not self.model_fields_set:
            raise ValueError("nothing is to be changed; send one of url, types, subject and status")
        return self


def webhook_routes(backend: Backend) -> APIRouter:
    """Return the routes that change webhooks."""
    router = APIRouter(tags=["webhooks"])
    settings, sealer, pool = backend.settings.webhooks, backend.sealer, backend.pool

    @router.post("/webhooks", status_code=201, **contract.CREATE_WEBHOOK)
    async def create_webhook(request: Request, asker: Asker, body: NewWebhook) -> Response:
        """Have events posted to a URL from now on. The secret that signs them is in this answer and nowhere else."""
        demand_usable_url(body.url, settings)
        webhook_id = command_id_of(request, asker)
        fields = {
            "id": webhook_id,
            "environment": asker.environment,
            "sealed_secret": seal_secret(sealer, asker.environment, webhook_id, new_secret()),
            "created_by": asker.user_id,
            **_filters(body),
        }
        async with writing(pool, THE_WEBHOOK) as connection:
            row = await store.create(connection, settings.max_per_environment, fields)
        try:
            secret = open_secret(sealer, row)
        except SealBroken as error:
            raise Refused(Code.UNREADABLE_VALUE, f"The webhook's secret cannot be opened: {error}.") from error
        headers = {"Location": f"/api/v1/webhooks/{webhook_id}", **NOT_KEPT}
        return json_response(pydantic_core.to_json({**webhook_document(row), "secret": secret}), 201, headers)

    @router.patch("/webhooks/{webhook_id}", **contract.CHANGE_WEBHOOK)
    async def change_webhook(asker: Asker, webhook_id: UUID, body: WebhookChange) -> Response:
        """Change where or of what a webhook is told, or enable it again: it goes on where it stopped."""
        changes = _filters(body)
        async with writing(pool, THE_WEBHOOK) as connection:
            row = await store.change(connection, asker.environment, webhook_id, changes)
            if "url" in changes or changes.get("status") == "enabled":  # what was allowed once need not be so now
                demand_usable_url(row["url"], settings)
        return json_response(pydantic_core.to_json(webhook_document(row)))

    @router.delete("/webhooks/{webhook_id}", **contract.DELETE_WEBHOOK)
    async def delete_webhook(asker: Asker, webhook_id: UUID) -> Response:
        """Delete a webhook, its secret and the log of its deliveries; what is not delivered yet never will be."""
        async with writing(pool, THE_WEBHOOK) as connection:
            await store.delete(connection, asker.environment, webhook_id)
        return json_response(pydantic_core.to_json({"id": str(webhook_id)}))

    @router.post("/webhooks/{webhook_id}/deliveries/{sequence}/redeliver", status_code=202, **contract.REDELIVER)
    async def redeliver(asker: Asker, webhook_id: UUID, sequence: DeliverySequence) -> Response:
        """Deliver an event once more, now; the attempts and their delays begin anew."""
        async with writing(pool, THE_WEBHOOK) as connection:
            row = await store.redeliver(connection, asker.environment, webhook_id, sequence)
        return json_response(pydantic_core.to_json(delivery_document(row)), 202)

    return router


def _filters(body: NewWebhook | WebhookChange) -> dict[str, Any]:
    """Return the columns that `body` says; a new webhook says all of them."""
    fields = body.model_dump(exclude_unset=isinstance(body, WebhookChange))
    if fields.get("types"):
        fields["types"] = sorted(set(fields["types"]))
    return fields

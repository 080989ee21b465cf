"""What the OpenAPI document says of the routes that change webhooks."""

from pydantic.config import JsonDict

from events.refusals import Code
from services.kit import examples
from services.kit.described import OF_BODIES, OF_LISTS, Told, described
from services.kit.parameters import IDEMPOTENCY_KEY
from services.kit.webhook_shapes import A_DELIVERY, A_WEBHOOK, WEBHOOK_ID, Delivery, Webhook, WebhookGone, WebhookMade

NEW_WEBHOOK: JsonDict = {"url": "https://hooks.example/pipeloom", "types": ["PipelineCreated"], "subject": "pipelines/"}
_LINKS = {
    name: {"operationId": operation, "parameters": {"webhook_id": "$response.body#/id"}}
    for name, operation in (("get", "get_webhook"), ("change", "change_webhook"), ("delete", "delete_webhook"))
}

CREATE_WEBHOOK = described(
    Told(
        201,
        WebhookMade,
        {**A_WEBHOOK, "secret": f"whsec_{examples.SECRET}"},
        "The webhook, with the secret that signs what it sends",
        ("Location", "Cache-Control"),
        _LINKS,
    ),
    refuses=[
        *OF_LISTS,
        *OF_BODIES,
        Code.INVALID_HEADER,
        Code.INVALID_WEBHOOK_URL,
        Code.TOO_MANY_WEBHOOKS,
        Code.WEBHOOK_DELETED,
        Code.COMMAND_ID_REUSED,
        Code.UNREADABLE_VALUE,
    ],
    parameters=[IDEMPOTENCY_KEY],
)
CHANGE_WEBHOOK = described(
    Told(200, Webhook, A_WEBHOOK, "The webhook as it is now"),
    refuses=[*OF_LISTS, *OF_BODIES, Code.WEBHOOK_NOT_FOUND, Code.INVALID_WEBHOOK_URL],
)
DELETE_WEBHOOK = described(
    Told(200, WebhookGone, {"id": WEBHOOK_ID}, "The webhook is gone"), refuses=[*OF_LISTS, Code.WEBHOOK_NOT_FOUND]
)
REDELIVER = described(
    Told(202, Delivery, A_DELIVERY, "The delivery, which is due now"),
    refuses=[*OF_LISTS, Code.WEBHOOK_NOT_FOUND, Code.WEBHOOK_DISABLED, Code.DELIVERY_NOT_FOUND],
)

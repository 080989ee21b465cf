"""What the OpenAPI document says of the routes that read webhooks."""

from events.refusals import Code
from services.kit.described import OF_LISTS, OF_READS, Told, described
from services.kit.webhook_shapes import A_DELIVERY, A_WEBHOOK, Delivery, Webhook

LIST_WEBHOOKS = described(
    Told(200, list[Webhook], [A_WEBHOOK], "All of them"), refuses=[*OF_READS, Code.INVALID_REQUEST]
)
GET_WEBHOOK = described(Told(200, Webhook, A_WEBHOOK, "The webhook"), refuses=[*OF_LISTS, Code.WEBHOOK_NOT_FOUND])
LIST_DELIVERIES = described(
    Told(200, list[Delivery], [A_DELIVERY], "A page of them", ("Link",)),
    refuses=[*OF_LISTS, Code.INVALID_REQUEST, Code.WEBHOOK_NOT_FOUND],
)

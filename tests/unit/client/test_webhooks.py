"""Both clients' calls about webhooks: what is sent, and which errors are raised."""

import pytest

from pipeloom import InvalidWebhookUrl, WebhookDisabled
from services.kit.webhook_shapes import A_DELIVERY, A_WEBHOOK, WEBHOOK_ID

from .conftest import Caller, Service


async def test_creating_sends_a_key_and_returns_the_secret(call: Caller, service: Service) -> None:
    service.answers(201, {**A_WEBHOOK, "secret": "whsec_example"})
    made = await call("create_webhook", "https://hooks.example/", ["StepReady"])
    assert made["secret"] == "whsec_example"
    assert service.request.headers["idempotency-key"]
    assert service.body == {"url": "https://hooks.example/", "types": ["StepReady"], "subject": ""}


async def test_changing_sends_only_what_is_given(call: Caller, service: Service) -> None:
    service.answers(200, A_WEBHOOK).answers(200, A_WEBHOOK)
    await call("update_webhook", WEBHOOK_ID, status="enabled")
    assert service.body == {"status": "enabled"}
    await call("update_webhook", WEBHOOK_ID, url="https://hooks.example/", types=())
    assert service.body == {"url": "https://hooks.example/", "types": None}
    with pytest.raises(ValueError, match="nothing is to be changed"):
        await call("update_webhook", WEBHOOK_ID)


async def test_what_is_not_there_is_none(call: Caller, service: Service) -> None:
    service.answers(404, {"name": "webhook_not_found", "message": "There is no such webhook."})
    assert await call("get_webhook", WEBHOOK_ID) is None


async def test_deliveries_are_read_page_by_page(call: Caller, service: Service) -> None:
    link = f'</api/v1/webhooks/{WEBHOOK_ID}/deliveries?limit=1&after=17&status=failed>; rel="next"'
    service.answers(200, [A_DELIVERY], {"Link": link}).answers(200, [A_DELIVERY])
    found = call.client.iter_webhook_deliveries(WEBHOOK_ID, "failed", 1)
    rows = [row async for row in found] if hasattr(found, "__aiter__") else list(found)
    assert rows == [A_DELIVERY, A_DELIVERY]
    first, second = (dict(request.url.params) for request in service.requests)
    assert first == {"status": "failed", "limit": "1"}
    assert second == {"status": "failed", "limit": "1", "after": "17"}


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [(422, "invalid_webhook_url", InvalidWebhookUrl), (409, "webhook_disabled", WebhookDisabled)],
)
async def test_refusals_have_classes(
    call: Caller, service: Service, status: int, code: str, kind: type[Exception]
) -> None:
    service.answers(status, {"name": code, "message": "No."})
    with pytest.raises(kind):
        await call("redeliver_webhook_event", WEBHOOK_ID, 17)

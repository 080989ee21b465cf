"""Webhooks through the whole product: made by HTTP, told of what happens, seen in the log, kept from the inside."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from standardwebhooks import Webhook

from services.kit.postgres import connect
from tests.acceptance.problems import problem
from tests.acceptance.stack import Stack
from tests.acceptance.tenant import NewTenant, Tenant
from tests.support.receiver import Receiver, answering, open_receiver
from tests.support.services import eventually


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with open_receiver() as opened:
        yield opened


async def made(tenant: Tenant, url: str, **fields: Any) -> dict[str, Any]:
    answer = await tenant.http.post("/webhooks", json={"url": url, **fields})
    assert answer.status_code == 201, answer.text
    document: dict[str, Any] = answer.json()
    return document


async def delivered(tenant: Tenant, webhook: dict[str, Any], **wanted: Any) -> dict[str, Any]:
    """Return the newest delivery once it is so."""
    found: list[dict[str, Any]] = []

    async def is_so() -> bool:
        found[:] = (await tenant.http.get(f"/webhooks/{webhook['id']}/deliveries")).json()
        return bool(found) and {name: found[0][name] for name in wanted} == wanted

    await eventually(is_so, 15)
    return found[0]


async def test_what_happens_is_told_signed_and_can_be_told_again(tenant: Tenant, step: str, receiver: Receiver) -> None:
    # Given
    webhook = await made(tenant, receiver.url("/hook"), types=["PipelineCreated"], subject="pipelines/")
    # When
    assert (await tenant.create_pipeline("churn", step)).status_code == 201
    delivery = await delivered(tenant, webhook, status="delivered", attempts=1, last_status_code=204)
    # Then
    [posted] = receiver.at("/hook")
    told = Webhook(webhook["secret"]).verify(posted.body, posted.headers)
    assert (told["subject"], told["id"]) == ("pipelines/churn", delivery["event_id"])
    assert told["data"]["pipeline"]["pipeline_name"] == "churn"
    # When
    again = await tenant.http.post(f"/webhooks/{webhook['id']}/deliveries/{delivery['sequence']}/redeliver")
    assert (again.status_code, again.json()["status"]) == (202, "pending")
    await eventually(lambda: len(receiver.at("/hook")) == 2)
    # Then
    assert receiver.at("/hook")[1].headers["webhook-id"] == posted.headers["webhook-id"]
    await delivered(tenant, webhook, status="delivered", attempts=1)


async def test_a_receiver_that_is_gone_is_told_no_more_until_it_is_enabled(
    tenant: Tenant, step: str, receiver: Receiver
) -> None:
    # Given
    receiver.on("/gone", answering(410))
    webhook = await made(tenant, receiver.url("/gone"))
    address = f"/webhooks/{webhook['id']}"
    # When
    await tenant.create_pipeline("churn", step)
    delivery = await delivered(tenant, webhook, last_status_code=410)
    # Then
    disabled = (await tenant.http.get(address)).json()
    assert (disabled["status"], "410" in disabled["disabled_reason"]) == ("disabled", True)
    again = await tenant.http.post(f"{address}/deliveries/{delivery['sequence']}/redeliver")
    problem(again, 409, "webhook_disabled")
    # When
    receiver.on("/gone", answering(200))
    assert (await tenant.http.patch(address, json={"status": "enabled"})).json()["disabled_reason"] is None
    assert (await tenant.http.post(f"{address}/deliveries/{delivery['sequence']}/redeliver")).status_code == 202
    # Then
    await delivered(tenant, webhook, status="delivered")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"url": "https://10.0.0.1/"}, "invalid_webhook_url"),
        ({"url": "https://169.254.169.254/latest"}, "invalid_webhook_url"),
        ({"url": "https://[::ffff:192.168.0.1]/"}, "invalid_webhook_url"),
        ({"url": "https://ada:secret@hooks.example/"}, "invalid_webhook_url"),
        ({"url": "ftp://hooks.example/"}, "invalid_webhook_url"),
        ({"url": "https://hooks.example/", "types": ["Nothing"]}, "invalid_body"),
        ({"url": "https://hooks.example/", "types": []}, "invalid_body"),
        ({"url": "https://hooks.example/", "subject": "a\x00"}, "invalid_body"),
        ({"url": "https://hooks.example/", "secret": "mine"}, "invalid_body"),
        ({}, "invalid_body"),
    ],
)
async def test_a_webhook_that_cannot_be_is_refused(tenant: Tenant, body: dict[str, Any], code: str) -> None:
    problem(await tenant.http.post("/webhooks", json=body), 422, code)
    assert (await tenant.http.get("/webhooks")).json() == []


async def test_a_repeat_under_the_same_key_is_the_same_webhook(tenant: Tenant) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    body = {"url": "https://hooks.example/", "types": ["StepReady", "StepFailed"]}
    first, second = [await tenant.http.post("/webhooks", json=body, headers=key) for _ in range(2)]
    assert first.json() == second.json()
    other = {**body, "url": "https://hooks.example/other"}
    problem(await tenant.http.post("/webhooks", json=other, headers=key), 422, "command_id_reused")
    [listed] = (await tenant.http.get("/webhooks")).json()
    assert listed == {name: value for name, value in first.json().items() if name != "secret"}


async def test_a_repeat_after_the_webhook_was_deleted_does_not_make_it_anew(tenant: Tenant) -> None:
    # Given
    key, body = {"Idempotency-Key": str(uuid4())}, {"url": "https://hooks.example/"}
    webhook_id = (await tenant.http.post("/webhooks", json=body, headers=key)).json()["id"]
    assert (await tenant.http.delete(f"/webhooks/{webhook_id}")).status_code == 200
    # When
    repeated = await tenant.http.post("/webhooks", json=body, headers=key)
    # Then
    problem(repeated, 409, "webhook_deleted")
    assert (await tenant.http.get("/webhooks")).json() == []
    other = {"Idempotency-Key": str(uuid4())}
    assert (await tenant.http.post("/webhooks", json=body, headers=other)).status_code == 201


async def test_a_parameter_that_is_not_known_is_refused(tenant: Tenant) -> None:
    webhook = await made(tenant, "https://hooks.example/")
    problem(await tenant.http.get("/webhooks", params={"status": "enabled"}), 400, "invalid_request")
    refused = await tenant.http.get(f"/webhooks/{webhook['id']}/deliveries", params={"state": "failed"})
    problem(refused, 400, "invalid_request")
    assert "status, limit, after" in refused.text


async def test_what_is_changed_of_a_webhook_is_changed_and_nothing_else(tenant: Tenant) -> None:
    webhook = await made(tenant, "https://hooks.example/", types=["StepReady"], subject="steps/")
    address = f"/webhooks/{webhook['id']}"
    changed = (await tenant.http.patch(address, json={"types": None})).json()
    assert (changed["types"], changed["subject"], changed["url"]) == (None, "steps/", "https://hooks.example/")
    changed = (await tenant.http.patch(address, json={"status": "disabled", "subject": ""})).json()
    assert (changed["status"], changed["disabled_reason"]) == ("disabled", "A user disabled it.")
    inside = {"url": "https://10.0.0.1/"}
    problem(await tenant.http.patch(address, json=inside), 422, "invalid_webhook_url")
    problem(await tenant.http.patch(address, json={}), 422, "invalid_body")
    assert (await tenant.http.get(address)).json() == changed


async def test_an_environment_has_a_bounded_number_of_webhooks(tenant: Tenant) -> None:
    webhooks = [await made(tenant, f"https://hooks.example/{number}") for number in range(20)]
    one_more = {"url": "https://hooks.example/"}
    problem(await tenant.http.post("/webhooks", json=one_more), 409, "too_many_webhooks")
    assert (await tenant.http.delete(f"/webhooks/{webhooks[0]['id']}")).status_code == 200
    assert (await tenant.http.post("/webhooks", json=one_more)).status_code == 201


async def test_another_environments_webhook_is_not_found(tenant: Tenant, new_tenant: NewTenant) -> None:
    webhook = await made(tenant, "https://hooks.example/")
    stranger = (await new_tenant()).http
    address = f"/webhooks/{webhook['id']}"
    for answer in (
        await stranger.get(address),
        await stranger.patch(address, json={"status": "disabled"}),
        await stranger.delete(address),
        await stranger.get(f"{address}/deliveries"),
        await stranger.post(f"{address}/deliveries/1/redeliver"),
    ):
        problem(answer, 404, "webhook_not_found")
    problem(await tenant.http.post(f"{address}/deliveries/1/redeliver"), 404, "delivery_not_found")
    assert (await stranger.get("/webhooks")).json() == []
    assert (await tenant.http.get(address)).json()["status"] == "enabled"


async def test_a_webhook_whose_url_is_no_longer_allowed_cannot_be_enabled(
    stack: Stack, tenant: Tenant, receiver: Receiver
) -> None:
    webhook = await made(tenant, receiver.url("/hook"))
    address = f"/webhooks/{webhook['id']}"
    assert (await tenant.http.patch(address, json={"status": "disabled"})).status_code == 200
    connection = await connect(stack.postgres)
    try:
        await connection.execute("UPDATE webhook SET url = 'http://10.0.0.1/' WHERE id = $1", UUID(webhook["id"]))
    finally:
        await connection.close()

    problem(await tenant.http.patch(address, json={"status": "enabled"}), 422, "invalid_webhook_url")

    assert (await tenant.http.get(address)).json()["status"] == "disabled"

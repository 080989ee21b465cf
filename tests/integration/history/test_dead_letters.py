"""Dead letters on real Kafka and Postgres: seen by their environment, sent again as commands, or discarded."""

import base64
import json
from typing import Any

import pytest

from events.codec import encode_command
from events.commands import PipelineRequested
from events.refusals import Code, Refused
from tests.support.installation import command
from tests.support.services import eventually

from .conftest import Stand, Tenant

GOOD: dict[str, Any] = {"pipeline_name": "p", "step_names": ["s"]}


async def bury(tenant: Tenant, value: bytes, **changes: bytes | None) -> dict[str, Any]:
    """Put a record on the topic that is no command; return its entry in the list once it is there."""
    record = encode_command(command(tenant.environment, PipelineRequested(**GOOD)))
    headers = dict(record.headers) | {f"ce_{name}": raw for name, raw in changes.items()}
    before = len(await letters(tenant))
    kept = [(name, raw) for name, raw in headers.items() if raw is not None]
    await tenant.log.put(record.key, value, kept)

    async def is_there() -> bool:
        return len(await letters(tenant)) > before

    await eventually(is_there)
    return (await letters(tenant))[0]


async def letters(tenant: Tenant, **params: Any) -> list[dict[str, Any]]:
    return [letter for page in await tenant.pages("/dead-letters", **params) for letter in page]


async def test_a_letter_is_shown_with_its_reason_and_its_bytes(tenant: Tenant) -> None:
    value = b'{"pipeline_name": "\xff"}'
    entry = await bury(tenant, value)
    shown = (await tenant.http.get(f"/dead-letters/{entry['id']}")).json()
    assert (entry["code"], entry["status"], entry["value_bytes"]) == ("invalid_json", "open", len(value))
    assert {key: shown[key] for key in entry} == entry
    assert (shown["value"]["text"], base64.b64decode(shown["value"]["base64"])) == (None, value)
    assert shown["key"]["text"] == tenant.environment
    assert {"name": "ce_type", "value": "pipeloom.PipelineRequested.v1"} in shown["headers"]


async def test_a_letter_that_is_replayed_mended_takes_effect_once_and_names_its_origin(tenant: Tenant) -> None:
    # Given
    await tenant.ready_step()
    letter = await bury(tenant, b'{"pipeline_name": "p"}')
    path = f"/dead-letters/{letter['id']}/replay"
    # When
    key = {"Idempotency-Key": "k"}
    replayed = await tenant.http.post(path, json={"data": GOOD}, headers=key)
    repeated = await tenant.http.post(path, json={"data": GOOD}, headers=key)
    another = await tenant.http.post(path, json={"data": GOOD})
    other_body = await tenant.http.post(path, json={"data": {**GOOD, "pipeline_name": "q"}}, headers=key)
    # Then
    assert (replayed.status_code, replayed.json()["type"]) == (200, "PipelineCreated"), replayed.text
    assert repeated.json() == replayed.json()
    assert (another.status_code, another.json()["name"]) == (409, "dead_letter_replayed")
    assert (other_body.status_code, other_body.json()["name"]) == (422, "command_id_reused")
    (settled,) = await letters(tenant, status="replayed")
    me = (await tenant.http.get("/users/me")).json()["id"]
    assert (settled["replayed_as"], settled["settled_by"]) == (replayed.json()["command_id"], me)
    assert await letters(tenant, status="open") == []
    (entry,) = (await tenant.http.get("/pipelines/p/history", params={"limit": 1})).json()
    assert (entry["command_source"], entry["actor"]) == (f"/pipeloom/dead-letters/{letter['id']}", me)


async def test_a_letter_that_is_refused_again_stays_open(tenant: Tenant) -> None:
    letter = await bury(tenant, json.dumps(GOOD).encode(), specversion=b"0.3")
    for _ in range(2):
        refused = await tenant.http.post(f"/dead-letters/{letter['id']}/replay")
        assert (refused.status_code, refused.json()["name"]) == (404, "step_not_found")
    assert [each["id"] for each in await letters(tenant, status="open")] == [letter["id"]]
    await tenant.ready_step()
    assert (await tenant.http.post(f"/dead-letters/{letter['id']}/replay")).status_code == 200


async def test_a_replay_that_is_not_waited_for_can_be_asked_for(tenant: Tenant) -> None:
    await tenant.ready_step()
    letter = await bury(tenant, json.dumps(GOOD).encode(), type=b"pipeloom.Nonsense.v1")
    accepted = await tenant.http.post(
        f"/dead-letters/{letter['id']}/replay", json={"type": "PipelineRequested"}, headers={"Prefer": "respond-async"}
    )
    told = await tenant.http.get(accepted.headers["Location"].removeprefix("/api/v1"), params={"wait": 20})
    assert (accepted.status_code, told.json()["status"]) == (202, "succeeded")
    assert (await letters(tenant))[0]["replayed_as"] == accepted.json()["command_id"]


async def test_a_mended_step_is_sealed_as_any_other_and_may_not_name_a_source(tenant: Tenant) -> None:
    letter = await bury(tenant, b"{}", type=b"pipeloom.StepRequested.v1")
    step = {"step_name": "s", "function_path": "a.py", "function_name": "f", "source": "sha256:" + "0" * 64}
    config = {"repository_url": "git@git.example:a.git", "repository_deploy_key": "very secret"}
    data = {**step, "container_config": config}
    replayed = await tenant.http.post(f"/dead-letters/{letter['id']}/replay", json={"data": data})
    assert replayed.status_code == 200, replayed.text
    assert "very secret" not in replayed.text
    assert replayed.json()["result"]["step"]["source"] is None


async def test_a_discarded_letter_is_kept_and_may_be_discarded_again(tenant: Tenant) -> None:
    letter = await bury(tenant, b"no JSON")
    first, second = [await tenant.http.delete(f"/dead-letters/{letter['id']}") for _ in range(2)]
    assert (first.status_code, first.json()["status"]) == (200, "discarded")
    assert second.json() == first.json()
    assert await letters(tenant, status="open") == []
    assert await letters(tenant, status="discarded") == [first.json()]


async def test_letters_are_paged_and_nobody_elses(stand: Stand, tenant: Tenant) -> None:
    for _ in range(3):
        newest = await bury(tenant, b"no JSON")
    pages = await tenant.pages("/dead-letters", limit=2)
    other = await stand.tenant()
    assert [len(page) for page in pages] == [2, 1]
    assert pages[0][0] == newest
    assert await letters(other) == []
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/replay")):
        response = await other.http.request(method, f"/dead-letters/{newest['id']}{path}")
        assert (response.status_code, response.json()["name"]) == (404, "dead_letter_not_found")


async def test_a_replay_that_kafka_does_not_take_leaves_the_letter_open(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    letter = await bury(tenant, json.dumps(GOOD).encode(), specversion=b"0.3")
    monkeypatch.setattr("services.kit.commands.CommandPublisher.publish", _away)
    response = await tenant.http.post(f"/dead-letters/{letter['id']}/replay")
    assert (response.status_code, response.json()["name"]) == (503, "kafka_unavailable")
    assert [each["id"] for each in await letters(tenant, status="open")] == [letter["id"]]


async def _away(*_: object) -> None:
    raise Refused(Code.KAFKA_UNAVAILABLE, "as the test wants it")

"""Dead letters on real Kafka and Postgres: seen by their environment, sent again as commands, or discarded."""

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from events.codec import encode_command
from events.commands import PipelineRequested
from events.refusals import Code, Refused
from services.kit.commands import CommandPublisher, NotSent
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


UPDATE: dict[str, Any] = {"step_name": "s", "description": "built anew"}
PUBLISH = "services.kit.commands.CommandPublisher.publish"
Publish = Callable[..., Awaitable[None]]


async def bury_update(tenant: Tenant) -> str:
    """Make a letter of a command that would take effect as often as it is sent; return its address."""
    await tenant.ready_step()
    letter = await bury(tenant, json.dumps(UPDATE).encode(), type=b"pipeloom.StepUpdateRequested.v1", source=None)
    return f"/dead-letters/{letter['id']}"


async def updates(tenant: Tenant) -> list[str]:
    """Return the commands that have updated the step."""
    entries = (await tenant.http.get("/steps/s/history")).json()
    return [entry["command_id"] for entry in entries if entry["type"] == "StepUpdated"]


async def lost(*_: object) -> None:
    """Acknowledge what no composer will see, which is as good as one that is down."""


async def test_a_replay_whose_acknowledgement_is_late_takes_effect_once(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given
    address = await bury_update(tenant)
    publish: Publish = CommandPublisher.publish

    async def late(*given: Any) -> None:
        await publish(*given)
        raise Refused(Code.KAFKA_UNAVAILABLE, "as the test wants it")

    with monkeypatch.context() as patch:
        patch.setattr(PUBLISH, late)
        unknown = await tenant.http.post(f"{address}/replay")
    # When
    again = await tenant.http.post(f"{address}/replay")
    # Then
    assert (unknown.status_code, unknown.json()["name"]) == (503, "kafka_unavailable")
    assert again.status_code in {200, 409}, again.text
    (settled,) = await letters(tenant, status="replayed")
    assert await updates(tenant) == [settled["replayed_as"]]


async def test_a_replay_without_a_result_is_sent_again_as_the_same_command(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = await bury_update(tenant)
    with monkeypatch.context() as patch:
        patch.setattr(PUBLISH, lost)
        accepted = await tenant.http.post(f"{address}/replay", headers={"Prefer": "respond-async"})
        mended = await tenant.http.post(f"{address}/replay", json={"data": {**UPDATE, "description": "mended"}})
        discarded = await tenant.http.delete(address)
    again = await tenant.http.post(f"{address}/replay", headers={"Idempotency-Key": "another"})
    another = await tenant.http.post(f"{address}/replay")
    command_id = accepted.json()["command_id"]
    assert (mended.status_code, mended.json()["name"]) == (409, "dead_letter_undecided")
    assert (discarded.json()["status"], discarded.json()["replayed_as"]) == ("replayed", command_id)
    assert (again.status_code, again.json()["command_id"]) == (200, command_id)
    assert (another.status_code, another.json()["name"]) == (409, "dead_letter_replayed")
    assert await updates(tenant) == [command_id]


async def test_replays_at_the_same_time_are_one_command(tenant: Tenant) -> None:
    address = await bury_update(tenant)
    both = await asyncio.gather(*(tenant.http.post(f"{address}/replay") for _ in range(2)))
    (settled,) = await letters(tenant, status="replayed")
    assert {response.status_code for response in both} <= {200, 409}
    assert await updates(tenant) == [settled["replayed_as"]]


async def test_a_replay_that_was_not_sent_leaves_the_letter_as_it_was(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object) -> None:
        raise NotSent(Code.OVERLOADED, "as the test wants it")

    letter = await bury(tenant, json.dumps(GOOD).encode(), specversion=b"0.3")
    monkeypatch.setattr(PUBLISH, full)
    response = await tenant.http.post(f"/dead-letters/{letter['id']}/replay")
    assert (response.status_code, response.json()["name"]) == (503, "overloaded")
    assert await letters(tenant) == [letter]


async def test_a_replay_that_is_refused_when_nobody_waits_leaves_the_letter_open(tenant: Tenant) -> None:
    letter = await bury(tenant, json.dumps(GOOD).encode(), specversion=b"0.3")
    address = f"/dead-letters/{letter['id']}"
    accepted = await tenant.http.post(f"{address}/replay", headers={"Prefer": "respond-async"})
    told = await tenant.http.get(accepted.headers["Location"].removeprefix("/api/v1"), params={"wait": 20})
    assert told.json()["status"] == "rejected"
    refused = {**letter, "replayed_as": accepted.json()["command_id"]}
    assert await letters(tenant, status="open") == [refused]
    assert await letters(tenant, status="replayed") == []
    assert (await tenant.http.delete(address)).json()["status"] == "discarded"


async def test_a_key_that_was_used_for_something_else_leaves_the_letter_open(tenant: Tenant) -> None:
    await tenant.ready_step()
    key = {"Idempotency-Key": "k"}
    created = await tenant.http.post("/pipelines", json={**GOOD, "pipeline_name": "q"}, headers=key)
    letter = await bury(tenant, json.dumps(GOOD).encode(), specversion=b"0.3")
    refused = await tenant.http.post(f"/dead-letters/{letter['id']}/replay", headers=key)
    replayed = await tenant.http.post(f"/dead-letters/{letter['id']}/replay")
    assert (created.status_code, refused.json()["name"]) == (201, "command_id_reused")
    assert replayed.status_code == 200, replayed.text


async def test_a_letter_that_was_discarded_can_still_be_replayed(tenant: Tenant) -> None:
    address = await bury_update(tenant)
    await tenant.http.delete(address)
    assert (await tenant.http.post(f"{address}/replay")).status_code == 200
    assert [each["status"] for each in await letters(tenant)] == ["replayed"]


async def test_a_replay_that_was_not_sent_leaves_the_mark_of_the_one_that_overtook_it(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = await bury_update(tenant)
    publish: Publish = CommandPublisher.publish
    overtaking: list[httpx.Response] = []

    async def overtaken(*given: Any) -> None:
        monkeypatch.setattr(PUBLISH, publish)
        overtaking.append(await tenant.http.post(f"{address}/replay"))
        raise NotSent(Code.OVERLOADED, "as the test wants it")

    monkeypatch.setattr(PUBLISH, overtaken)
    unsent = await tenant.http.post(f"{address}/replay")
    assert (unsent.status_code, overtaking[0].status_code) == (503, 200)
    assert [each["replayed_as"] for each in await letters(tenant, status="replayed")] == await updates(tenant)


async def test_a_write_that_postgres_does_not_confirm_is_called_unknown(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def cut(*_: object) -> None:
        raise ConnectionError

    letter = await bury(tenant, json.dumps(GOOD).encode(), specversion=b"0.3")
    monkeypatch.setattr("services.kit.dead_letters.lock_letter", cut)
    discarded = await tenant.http.delete(f"/dead-letters/{letter['id']}")
    replayed = await tenant.http.post(f"/dead-letters/{letter['id']}/replay")
    for response in (discarded, replayed):
        assert (response.status_code, response.json()["name"]) == (503, "postgres_unavailable")
        assert "the dead letter may or may not be changed" in response.json()["message"]

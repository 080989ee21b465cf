"""The history of a resource on real Kafka and Postgres: complete, in order, and there when the resource is not."""

from typing import Any

import pytest

from events.commands import (
    DeploymentRequested,
    PipelineDeleteRequested,
    PipelineRequested,
    StepDeleteRequested,
)
from services.kit.settings import Settings
from services.query import history

from .conftest import Stand, Tenant
from .plans import Recorder, plan_of

PIPELINE = PipelineRequested(pipeline_name="p", step_names=["s"])
ENDPOINT = DeploymentRequested(name="d", pipeline_name="p", execution_rule="endpoint", endpoint_token_hash="0" * 64)


def told(entries: list[dict[str, Any]], *keys: str) -> list[tuple[Any, ...]]:
    return [tuple(entry[key] for key in keys) for entry in entries]


async def test_a_pipelines_history_says_who_did_what_when_and_what_changed(tenant: Tenant) -> None:
    # Given
    await tenant.ready_step()
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    (created,) = await tenant.ask(PIPELINE, actor="ada", traceparent=trace)
    await tenant.ask(PIPELINE, actor="bob")
    await tenant.ask(PipelineDeleteRequested(pipeline_name="p"), actor="eve")
    # When
    response = await tenant.http.get("/pipelines/p/history", params={"order": "oldest"})
    # Then
    entries = response.json()
    assert told(entries, "type", "status", "command_type", "actor", "command_source") == [
        ("PipelineCreated", "succeeded", "PipelineRequested", "ada", "/tests"),
        ("CommandRejected", "rejected", "PipelineRequested", "bob", "/tests"),
        ("PipelineDeleted", "succeeded", "PipelineDeleteRequested", "eve", "/tests"),
    ]
    first, refused, last = entries
    assert (first["command_id"], first["traceparent"], first["time"]) == (str(created.id), trace, created.time)
    assert (first["before"], first["after"]["pipeline_name"]) == (None, "p")
    assert refused["refusal"]["code"] == "pipeline_exists"
    assert "Delete it first" in refused["refusal"]["message"]
    assert (last["before"], last["after"]) == (first["after"], None)
    assert (await tenant.http.get("/pipelines/p")).status_code == 404


async def test_what_a_forced_deletion_took_along_has_its_end_and_the_reason(tenant: Tenant) -> None:
    await tenant.ready_step()
    await tenant.ask(PIPELINE, ENDPOINT)
    await tenant.ask(StepDeleteRequested(step_name="s", force_dependents_deletion=True))
    for path, kind in (("/deployments/d", "Deployment"), ("/pipelines/p", "Pipeline")):
        last, first = (await tenant.http.get(f"{path}/history")).json()
        assert (first["type"], last["type"]) == (f"{kind}Created", f"{kind}Deleted")
        assert (last["command_type"], last["command_subject"]) == ("StepDeleteRequested", "steps/s")
        assert (last["before"], last["after"]) == (first["after"], None)


async def test_a_steps_history_has_its_build(tenant: Tenant) -> None:
    await tenant.ready_step()
    ready, created = (await tenant.http.get("/steps/s/history")).json()
    assert (created["type"], ready["type"], ready["command_type"]) == ("StepCreated", "StepReady", "StepBuildReported")
    assert (ready["before"]["status"], ready["after"]["status"]) == ("Pending", "Ready")


@pytest.mark.parametrize("order", ["newest", "oldest"])
async def test_the_pages_of_a_history_hold_every_entry_once_and_in_order(tenant: Tenant, order: str) -> None:
    await tenant.ask(*[PIPELINE] * 7)
    pages = await tenant.pages("/pipelines/p/history", order=order, limit=3)
    found = [entry["sequence"] for page in pages for entry in page]
    assert [len(page) for page in pages] == [3, 3, 1]
    assert found == sorted(range(1, 8), reverse=order == "newest")


async def test_a_page_is_bounded_by_its_bytes_too(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "BYTES", 1)
    await tenant.ask(*[PIPELINE] * 3)
    assert [len(page) for page in await tenant.pages("/pipelines/p/history")] == [1, 1, 1]


async def test_what_never_was_and_what_is_anothers_is_not_found(stand: Stand, tenant: Tenant) -> None:
    other = await stand.tenant()
    await other.ask(PIPELINE)
    for path, code in (
        ("/pipelines/p", "pipeline_not_found"),
        ("/steps/s", "step_not_found"),
        ("/deployments/d", "deployment_not_found"),
        ("/steps/a%00b", "step_not_found"),
    ):
        response = await tenant.http.get(f"{path}/history")
        assert (response.status_code, response.json()["name"]) == (404, code)
    assert (await other.http.get("/pipelines/p/history")).status_code == 200


async def test_the_page_behind_the_last_entry_is_empty(tenant: Tenant) -> None:
    await tenant.ask(PIPELINE)
    response = await tenant.http.get("/pipelines/p/history", params={"after": 1})
    assert (response.status_code, response.json()) == (200, [])


@pytest.mark.parametrize("newest_first", [True, False])
async def test_a_page_is_read_by_the_index_on_its_subject(installation: Settings, newest_first: bool) -> None:
    # Given what a page asks of a log that is much longer
    recorder = Recorder()
    start = {"newest_first": newest_first, "after": 2**62 if newest_first else 0}
    limits = {"row_limit": 20, "byte_limit": 1000}
    asked = history._sql.read_subject(recorder, environment="e3", subject="s/1", **start, **limits)
    assert [row async for row in asked] == []
    # When
    plan = await plan_of(installation, recorder)
    # Then
    assert "event_log_by_subject" in plan
    assert "Seq Scan on event_log" not in plan

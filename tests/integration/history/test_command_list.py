"""The list of commands on real Kafka and Postgres: filtered, paged, and read by index."""

from datetime import datetime, timedelta
from typing import Any, cast

import pytest

from events.commands import PipelineRequested, StepDeleteRequested, StepRequested
from services.kit.settings import Settings
from services.query import command_list
from services.query.command_list import Wanted

from .conftest import Stand, Tenant
from .plans import Recorder, plan_of

STEP = StepRequested(step_name="s", function_path="a.py", function_name="f")
REFUSED = PipelineRequested(pipeline_name="p", step_names=["s"])


async def listed(tenant: Tenant, **params: Any) -> list[dict[str, Any]]:
    return [entry for page in await tenant.pages("/commands", **params) for entry in page]


async def test_commands_are_listed_newest_first_with_what_came_of_them(tenant: Tenant) -> None:
    created, refused = await tenant.ask(STEP, REFUSED)
    second, first = await listed(tenant)
    assert (first["command_id"], first["status"], first["command_type"], first["refusal"]) == (
        str(created.id),
        "succeeded",
        "StepRequested",
        None,
    )
    assert (second["command_id"], second["status"], second["subject"]) == (str(refused.id), "rejected", "pipelines/p")
    assert second["refusal"]["code"] == "step_not_ready"
    assert second["refusal"]["details"] == {"step_name": "s", "status": "Pending"}


async def test_only_commands_that_are_wanted_are_listed(tenant: Tenant) -> None:
    # Given
    delete = StepDeleteRequested(step_name="s")
    await tenant.ask(STEP, REFUSED, delete, actor="bob")
    await tenant.ask(STEP, STEP, delete, actor="ada")
    # Then
    for params, expected in (
        ({"status": "rejected"}, [5, 2]),
        ({"status": "succeeded"}, [6, 4, 3, 1]),
        ({"type": "PipelineRequested"}, [2]),
        ({"type": "StepRequested"}, [5, 4, 1]),
        ({"type": "StepRequested", "status": "rejected"}, [5]),
        ({"type": "StepBuildReported"}, []),
        ({"actor": "ada"}, [6, 5, 4]),
        ({"actor": "ada", "status": "rejected", "type": "PipelineRequested"}, []),
        ({"actor": "nobody"}, []),
    ):
        assert [entry["sequence"] for entry in await listed(tenant, **params)] == expected, params


async def test_a_page_that_looks_at_its_share_in_vain_leads_on(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command_list, "ROWS", 2)
    await tenant.ask(STEP, *[REFUSED] * 6)
    pages = await tenant.pages("/commands", status="succeeded")
    assert [len(page) for page in pages] == [0, 0, 0, 1]


async def test_a_limit_gives_pages_that_hold_each_command_once(tenant: Tenant) -> None:
    await tenant.ask(STEP, *[REFUSED] * 6)
    pages = await tenant.pages("/commands", limit=3)
    assert [[entry["sequence"] for entry in page] for page in pages] == [[7, 6, 5], [4, 3, 2], [1]]


async def test_a_span_of_time_is_one_of_decisions(tenant: Tenant) -> None:
    # Given three commands, each decided at a moment of its own
    for _ in range(3):
        await tenant.ask(REFUSED)
    moments = [datetime.fromisoformat(entry["decided_at"]) for entry in reversed(await listed(tenant))]
    tick = timedelta(milliseconds=1)
    # When
    since = await listed(tenant, since=moments[1].isoformat())
    until = await listed(tenant, until=moments[1].isoformat())
    between = await listed(tenant, since=(moments[1]).isoformat(), until=(moments[1] + tick).isoformat())
    # Then
    assert [entry["sequence"] for entry in since] == [3, 2]
    assert [entry["sequence"] for entry in until] == [1]
    assert [entry["sequence"] for entry in between] == [2]
    assert await listed(tenant, since=(moments[2] + timedelta(days=1)).isoformat()) == []
    assert len(await listed(tenant, until="9999-12-31T23:59:59Z", since="0001-01-01T00:00:00Z")) == 3


async def test_another_environments_commands_are_not_listed(stand: Stand, tenant: Tenant) -> None:
    other = await stand.tenant()
    await other.ask(REFUSED)
    assert await listed(tenant) == []


@pytest.mark.parametrize(
    ("status", "index"), [("rejected", "event_log_refused"), (None, "event_log_history")], ids=["refused", "all"]
)
async def test_a_page_is_read_by_an_index_in_its_order(
    installation: Settings, monkeypatch: pytest.MonkeyPatch, status: Any, index: str
) -> None:
    # Given a log that is much longer than what a page looks at
    monkeypatch.setattr(command_list, "ROWS", 50)
    recorder = Recorder()
    wanted = Wanted(status, None, "ada", None, None)
    await command_list._page(cast("Any", recorder), "e3", wanted, None, 100)
    # When
    plan = await plan_of(installation, recorder)
    # Then
    assert f"Index Scan Backward using {index}" in plan
    assert "Seq Scan on event_log" not in plan

"""What an entry of a history says, and what may be asked."""

import json
from datetime import UTC, datetime
from typing import Any, ClassVar
from uuid import uuid4

import httpx
import pytest

from events.results import RESULTS, EventData
from events.upcasting import EARLIER, Earlier
from services.kit import examples
from services.query.history import entry_of

from .conftest import Postgres, Row

STEP = examples.STEP.model_dump(mode="json")
PENDING = examples.PENDING_STEP.model_dump(mode="json")


def row(event: str, data: dict[str, Any], **changes: Any) -> Row:
    return {
        "sequence": 7,
        "type": event,
        "version": 1,
        "time": datetime(2026, 1, 31, tzinfo=UTC),
        "is_result": True,
        "actor": "ada",
        "command_id": uuid4(),
        "command_source": "/pipeloom/http",
        "traceparent": None,
        "data": json.dumps(data),
        "result_type": event,
        "command_subject": "steps/train",
        "found": 1,
    } | changes


@pytest.mark.parametrize(
    ("event", "data", "before", "after"),
    [
        ("StepCreated", {"step": PENDING}, None, PENDING),
        ("StepReady", {"step": STEP, "before": PENDING}, PENDING, STEP),
        ("StepDeleted", {"step": STEP, "pipelines": [], "deployments": []}, STEP, None),
    ],
)
def test_an_entry_has_the_resource_before_and_after(event: str, data: Any, before: Any, after: Any) -> None:
    entry = entry_of(row(event, data), "step")
    assert (entry["before"], entry["after"], entry["refusal"], entry["status"]) == (before, after, None, "succeeded")


def test_a_refusal_has_its_reason_and_changes_nothing() -> None:
    refusal = {"code": "step_exists", "message": "taken", "details": {"step_name": "train"}}
    data = {"command_type": "StepRequested", "command_subject": "steps/train", **refusal}
    entry = entry_of(row("CommandRejected", data), "step")
    assert (entry["status"], entry["command_type"], entry["refusal"]) == ("rejected", "StepRequested", refusal)
    assert (entry["before"], entry["after"]) == (None, None)


def test_an_entry_of_an_earlier_version_is_told_in_the_present_one(monkeypatch: pytest.MonkeyPatch) -> None:
    class StepDeleted(EventData):
        version: ClassVar[int] = 2
        step: dict[str, Any]

    class First(EventData):
        gone: dict[str, Any]

    monkeypatch.setitem(RESULTS, "StepDeleted", StepDeleted)
    monkeypatch.setitem(EARLIER, ("StepDeleted", 1), Earlier(First, lambda told: {"step": told.gone}))
    assert entry_of(row("StepDeleted", {"gone": STEP}), "step")["before"] == STEP


def test_what_went_with_another_one_names_that_command() -> None:
    changes = {"is_result": False, "result_type": "StepDeleted", "command_subject": "steps/train"}
    pipeline = {"pipeline": examples.PIPELINE.model_dump(mode="json"), "deployments": []}
    entry = entry_of(row("PipelineDeleted", pipeline, **changes), "pipeline")
    assert (entry["command_type"], entry["command_subject"]) == ("StepDeleteRequested", "steps/train")


async def test_the_link_to_the_next_page_keeps_what_was_asked(http: httpx.AsyncClient, postgres: Postgres) -> None:
    postgres.list = lambda sql, given: [row("StepCreated", {"step": STEP}, found=3), row("x", {}, found=3)]
    response = await http.get("/steps/train/history", params={"order": "oldest", "limit": 1})
    assert response.links["next"]["url"] == "/api/v1/steps/train/history?order=oldest&limit=1&after=7"
    assert len(response.json()) == 1


@pytest.mark.parametrize("path", ["/steps/s/history", "/commands", "/dead-letters"])
async def test_a_filter_with_an_unknown_field_is_refused_with_the_allowed_ones(
    http: httpx.AsyncClient, path: str
) -> None:
    response = await http.get(path, params={"colour": "red"})
    assert (response.status_code, response.json()["name"]) == (400, "invalid_request")
    told = response.json()["additional_data"]
    assert told["unknown"] == ["colour"]
    assert {"limit", "after"} < set(told["known"])


@pytest.mark.parametrize(
    "address",
    [
        "/steps/s/history?order=up",
        "/steps/s/history?limit=0",
        "/steps/s/history?after=x",
        "/commands?status=unknown",
        "/commands?type=PipelineCreated",
        "/commands?actor=a%00b",
        "/commands?since=yesterday",
        "/commands?since=2026-01-31T12:00:00",
        "/commands?since=1769860800",
        "/commands?until=0001-01-01T00:00:00%2B23:59",
        "/dead-letters?status=new",
        "/dead-letters?after=3-1",
        "/dead-letters/3",
    ],
)
async def test_a_filter_that_cannot_be_is_refused(http: httpx.AsyncClient, address: str) -> None:
    response = await http.get(address)
    assert (response.status_code, response.json()["name"]) == (422, "invalid_parameter")


async def test_the_types_of_commands_are_told(http: httpx.AsyncClient) -> None:
    response = await http.get("/commands", params={"type": "Nonsense"})
    assert "PipelineRequested" in response.json()["message"]

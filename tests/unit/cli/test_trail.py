"""`history`, `commands list` and `dead-letters`, for people and for programs."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from pipeloom.cli.exits import ExitCode

from .conftest import Service

Pipeloom = Callable[[str], Result]

CREATED: dict[str, Any] = {
    "sequence": 1,
    "time": "2026-01-31T12:00:00.000Z",
    "type": "StepCreated",
    "status": "succeeded",
    "actor": "ada",
    "command_id": "c-1",
    "command_type": "StepRequested",
    "command_subject": "steps/train",
    "command_source": "/pipeloom/http",
    "traceparent": None,
    "before": None,
    "after": {"status": "Pending"},
    "refusal": None,
}
READY = {**CREATED, "type": "StepReady", "before": {"status": "Pending", "x": 1}, "after": {"status": "Ready", "x": 1}}
GONE = {**CREATED, "type": "PipelineDeleted", "before": {}, "after": None}
REFUSAL = {"code": "step_exists", "message": "The name is taken.", "details": {}}
REFUSED = {**CREATED, "type": "CommandRejected", "status": "rejected", "refusal": REFUSAL, "after": None}
COMMAND = {**REFUSED, "subject": "steps/train", "decided_at": CREATED["time"]}
LETTER = {
    "id": "3-1042",
    "status": "open",
    "code": "invalid_body",
    "message": "m" * 500,
    "received_at": CREATED["time"],
    "headers": [{"name": "ce_type", "value": "x"}],
    "key": None,
    "value": {"text": '{"a": 1}', "base64": "eyJhIjogMX0="},
}


def test_a_person_reads_what_changed_and_why_not(pipeloom: Pipeloom, service: Service) -> None:
    service.answer(200, [REFUSED, READY, CREATED])
    shown = pipeloom("steps history train").stdout
    assert "StepRequested refused" in shown
    assert "step_exists: The name is taken." in shown
    assert "status: Pending → Ready" in shown
    assert "x:" not in shown
    assert len(shown.splitlines()) == 4


def test_a_person_reads_what_took_a_resource_along(pipeloom: Pipeloom, service: Service) -> None:
    service.answer(200, [GONE])
    assert "went with steps/train" in pipeloom("pipelines history churn").stdout


def test_a_program_gets_the_entries_as_they_are(pipeloom: Pipeloom, service: Service) -> None:
    service.answer(200, [CREATED])
    assert json.loads(pipeloom("deployments history live --oldest-first -o json").stdout) == [CREATED]
    assert dict(service.requests[0].url.params) == {"order": "oldest", "limit": "100"}


def test_a_name_that_never_was_is_refused(pipeloom: Pipeloom, service: Service) -> None:
    service.answer(404, {"name": "step_not_found", "message": "Nothing was ever asked."})
    result = pipeloom("steps history train")
    assert (result.exit_code, "Nothing was ever asked" in result.stderr) == (ExitCode.REFUSED, True)


def test_commands_are_listed_with_their_refusals(pipeloom: Pipeloom, service: Service) -> None:
    service.answer(200, [COMMAND])
    before = datetime.now(UTC)
    result = pipeloom(
        "commands list --status rejected --type pipeloom.StepRequested.v1 --actor ada --since 2h --limit 5"
    )
    params = dict(service.requests[0].url.params)
    since = datetime.fromisoformat(params.pop("since"))
    assert params == {"status": "rejected", "type": "StepRequested", "actor": "ada", "limit": "5"}
    assert abs(before - timedelta(hours=2) - since) < timedelta(minutes=1)
    assert "step_exists: The name is taken." in result.stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("commands list --since yesterday", "15m"),
        ("commands list --type Nonsense", "PipelineRequested"),
        ("commands list --type pipeloom.StepReady.v1", "PipelineRequested"),
        ("commands list --status unknown", "rejected"),
        ("dead-letters replay 3-1 --type Nonsense", "PipelineRequested"),
        ("dead-letters replay 3-1 --data absent.json", "absent.json"),
    ],
)
def test_what_cannot_be_asked_is_wrong_usage(pipeloom: Pipeloom, service: Service, words: str, told: str) -> None:
    result = pipeloom(words)
    assert result.exit_code == ExitCode.USAGE
    assert told in " ".join(result.stderr.replace("│", " ").split())
    assert service.requests == []


def test_open_letters_are_listed_and_their_messages_shortened(pipeloom: Pipeloom, service: Service) -> None:
    service.answer(200, [LETTER])
    shown = pipeloom("dead-letters list").stdout
    assert service.requests[0].url.params["status"] == "open"
    assert max(map(len, shown.splitlines())) < 250


def test_that_there_are_no_letters_is_told(pipeloom: Pipeloom, service: Service) -> None:
    service.answer(200, [])
    assert "No dead letters." in pipeloom("dead-letters list --status all").stdout
    assert "status" not in service.requests[0].url.params


def test_a_letter_is_shown_with_its_value(pipeloom: Pipeloom, service: Service) -> None:
    service.answer(200, LETTER)
    assert '{"a": 1}' in pipeloom("dead-letters show 3-1042").stdout


def test_a_letter_that_is_not_there_is_refused(pipeloom: Pipeloom, service: Service) -> None:
    service.answer(404, {"name": "dead_letter_not_found", "message": "no"})
    result = pipeloom("dead-letters show 3-1043")
    assert (result.exit_code, "no dead letter '3-1043'" in result.stderr) == (ExitCode.REFUSED, True)


def test_a_letter_is_replayed_with_the_data_of_a_file(pipeloom: Pipeloom, service: Service, tmp_path: Path) -> None:
    mended = tmp_path / "mended.json"
    mended.write_text('{"a": 2}')
    service.answer(200, {"command_id": "c-1", "status": "succeeded", "result": {"long": "one"}})
    shown = pipeloom(f"dead-letters replay 3-1042 --data {mended} --type pipeloom.StepRequested.v1").stdout
    assert json.loads(service.requests[0].content) == {"type": "StepRequested", "data": {"a": 2}}
    assert "long" not in shown


def test_a_file_without_an_object_is_wrong_usage(pipeloom: Pipeloom, tmp_path: Path) -> None:
    mended = tmp_path / "mended.json"
    mended.write_text("[]")
    assert pipeloom(f"dead-letters replay 3-1042 --data {mended}").exit_code == ExitCode.USAGE


def test_a_letter_is_discarded_without_a_question(pipeloom: Pipeloom, service: Service) -> None:
    service.answer(200, {"id": "3-1042", "status": "discarded"})
    assert "discarded" in pipeloom("dead-letters discard 3-1042").stdout
    assert service.requests[0].method == "DELETE"

"""`pipeloom events`: a line for each event."""

import json
from collections.abc import Callable

import httpx
import pytest
from typer.testing import Result

from pipeloom.cli.exits import ExitCode
from tests.unit.client.test_watch import OPENING, told

from .conftest import Service

Pipeloom = Callable[[str], Result]

REFUSED = {
    "type": "pipeloom.CommandRejected.v1",
    "data": {"code": "step_not_found", "message": "There is no\nstep \x1b[31m's'."},
}


@pytest.fixture
def happens(service: Service, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let events be told, and then the token be unknown, which ends the command."""
    monkeypatch.setattr("pipeloom.client.watching.Subscription.pause_s", lambda *_: 0.0)

    def stream(*events: bytes) -> None:
        headers = {"Content-Type": "text/event-stream"}
        service.answers.append(httpx.Response(200, headers=headers, content=b"".join([OPENING, *events])))
        for _ in range(2):
            service.answer(401, {"name": "invalid_token", "message": "The token is not one of ours."})

    return stream


def test_a_person_reads_a_line_for_each_event(pipeloom: Pipeloom, happens: Callable[..., None]) -> None:
    happens(told(1), told(2, **REFUSED))
    result = pipeloom("events")
    assert [" ".join(line.split()) for line in result.stdout.splitlines()] == [
        "2026-01-31T12:00:00.000Z 1 PipelineCreated pipelines/churn",
        "2026-01-31T12:00:00.000Z 2 CommandRejected pipelines/churn step_not_found: There is no step \\x1b[31m's'.",
    ]
    assert result.exit_code == ExitCode.REFUSED


def test_a_program_reads_a_document_a_line(pipeloom: Pipeloom, happens: Callable[..., None]) -> None:
    happens(told(1), told(2))
    documents = [json.loads(line) for line in pipeloom("events -o json").stdout.splitlines()]
    assert [(each["sequence"], each["type"], each["data"]["pipeline"]) for each in documents] == [
        (1, "PipelineCreated", {"pipeline_name": "churn"}),
        (2, "PipelineCreated", {"pipeline_name": "churn"}),
    ]


def test_what_is_wanted_is_asked_for(pipeloom: Pipeloom, service: Service, happens: Callable[..., None]) -> None:
    happens()
    pipeloom(
        "events --type StepReady --type pipeloom.StepFailed.v1 --subject steps/ --pipeline churn --since beginning"
    )
    asked = service.requests[0].url.params
    assert (asked.get_list("type"), asked["subject"], asked["pipeline"], asked["from"]) == (
        ["StepReady", "StepFailed"],
        "steps/",
        "churn",
        "beginning",
    )


def test_a_sequence_is_a_place_to_begin_behind(
    pipeloom: Pipeloom, service: Service, happens: Callable[..., None]
) -> None:
    happens()
    pipeloom("events --since 41")
    assert service.requests[0].headers["last-event-id"] == "41"


@pytest.mark.parametrize(
    "words",
    [
        "--type Nonsense",
        "--type pipeloom.Nonsense.v1",
        "--pipeline ''",
        "--since yesterday",
        "--since -1",
        "--since ''",
        "more",
    ],
)
def test_what_cannot_be_asked_is_wrong_usage(pipeloom: Pipeloom, service: Service, words: str) -> None:
    assert pipeloom(f"events {words}").exit_code == ExitCode.USAGE
    assert service.requests == []

"""What the monitor reads of a record, and what it says of those that are none of ours."""

import json
from typing import Any, ClassVar

import pytest

from events.codec import encode_command, encode_event
from events.commands import PipelineRequested
from events.envelope import Event, Position
from events.results import RESULTS, CommandRejected
from events.upcasting import EARLIER, Earlier
from services.monitor.records import UnreadableError, read_answered, read_asked
from tests.support.installation import command

ASKED = command("lab", PipelineRequested(pipeline_name="churn", step_names=["train"]))


def event(**changes: Any) -> Event:
    fields: dict[str, Any] = {
        "partition": 3,
        "position": Position(41, 0),
        "environment": "lab",
        "sequence": 7,
        "type": "PipelineCreated",
        "version": 1,
        "subject": "pipelines/churn",
        "command_id": ASKED.id,
        "command_source": "/tests",
        "is_result": True,
        "actor": "ada",
        "time": "2026-01-31T12:00:00.250Z",
        "data": "{}",
    }
    return Event(**{**fields, **changes})


def test_a_command_is_read_from_its_headers_alone() -> None:
    asked = read_asked(encode_command(ASKED).headers, b"", 5)
    assert (asked.environment, asked.command_id, asked.type, asked.at_ms) == (
        "lab",
        str(ASKED.id),
        "PipelineRequested",
        5,
    )


def test_a_command_of_no_known_type_is_a_command_all_the_same_since_it_is_refused() -> None:
    headers = [each for each in encode_command(ASKED).headers if each[0] != "ce_type"]
    assert read_asked([*headers, ("ce_type", b"pipeloom.Nonsense.v1")], b"", 5).type == "unknown"


@pytest.mark.parametrize(
    ("header", "value", "reason"),
    [
        ("ce_specversion", b"0.3", "no CloudEvent"),
        ("ce_id", b"seven", "no command id"),
        ("ce_environment", b"No Such", "no environment"),
        ("ce_environment", b"\xff", "no environment"),
    ],
)
def test_what_could_have_no_result_is_no_command(header: str, value: bytes, reason: str) -> None:
    headers = [each for each in encode_command(ASKED).headers if each[0] != header]
    with pytest.raises(UnreadableError, match=reason):
        read_asked([*headers, (header, value)], b"", 5)


def test_a_command_in_structured_mode_is_read_from_its_document() -> None:
    document = {"specversion": "1.0", "id": str(ASKED.id), "environment": "lab", "type": "pipeloom.StepRequested.v1"}
    headers = [("content-type", b"application/cloudevents+json")]
    asked = read_asked(headers, json.dumps(document).encode(), 5)
    assert (asked.environment, asked.command_id, asked.type) == ("lab", str(ASKED.id), "StepRequested")


@pytest.mark.parametrize("value", [b"[1]", b"{", b"", None])
def test_a_document_that_is_no_cloud_event_is_no_command(value: bytes | None) -> None:
    with pytest.raises(UnreadableError, match="no CloudEvent"):
        read_asked([("content-type", b"application/cloudevents+json")], value, 5)


def test_a_result_says_when_its_command_was_asked_for_and_where_it_stands() -> None:
    record = encode_event(event())
    answered = read_answered(3, record.headers, record.value, 1_769_860_801_000)
    assert answered is not None
    assert (answered.position, answered.type, answered.refused) == (41, "PipelineRequested", None)
    assert answered.at_ms - answered.asked_ms == 750


def test_a_refusal_says_of_what_and_why() -> None:
    record = encode_event(event(type="CommandRejected", data='{"command_type":"StepRequested","code":"step_exists"}'))
    answered = read_answered(3, record.headers, record.value, 0)
    assert answered is not None
    assert (answered.type, answered.refused) == ("StepRequested", "step_exists")


def test_a_refusal_of_an_earlier_version_is_read_as_the_present_one(monkeypatch: pytest.MonkeyPatch) -> None:
    class First(CommandRejected):
        reason: str

    class Second(CommandRejected):
        version: ClassVar[int] = 2

    monkeypatch.setitem(RESULTS, "CommandRejected", Second)
    Second.__name__ = "CommandRejected"
    earlier = Earlier(First, lambda told: {**told.model_dump(), "code": told.reason})
    monkeypatch.setitem(EARLIER, ("CommandRejected", 1), earlier)
    told = First(
        command_type="StepRequested", command_subject="s", code="", message="m", details={}, reason="step_exists"
    )
    record = encode_event(event(type="CommandRejected", data=told.model_dump_json()))
    answered = read_answered(3, record.headers, record.value, 0)
    assert answered is not None
    assert answered.refused == "step_exists"


def test_types_and_codes_that_nobody_knows_are_counted_as_unknown() -> None:
    record = encode_event(event(type="CommandRejected", data='{"command_type":"\xe9","code":"any"}'))
    answered = read_answered(3, record.headers, record.value, 0)
    assert answered is not None
    assert (answered.type, answered.refused) == ("unknown", "unknown")


def test_an_event_that_is_not_the_last_of_its_command_is_no_result() -> None:
    record = encode_event(event(is_result=False))
    assert read_answered(3, record.headers, record.value, 0) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"time": "yesterday"},
        {"environment": "No Such"},
        {"type": "CommandRejected", "data": "[1]"},
        {"type": "CommandRejected", "data": "{"},
        {"type": "CommandRejected", "data": '{"command_type":[],"code":{}}'},
    ],
)
def test_an_event_that_is_not_ours_is_unreadable(changes: dict[str, Any]) -> None:
    record = encode_event(event(**changes))
    with pytest.raises(UnreadableError, match="no event of ours"):
        read_answered(3, record.headers, record.value, 0)

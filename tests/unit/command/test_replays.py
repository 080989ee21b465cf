"""What a dead letter is sent again as."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import ClassVar

import pytest

from events.commands import CommandData, PipelineRequested
from events.refusals import Refused
from events.upcasting import EARLIER, Earlier
from services.command.replays import Mended, mended_type, object_of, read_mended, replayed
from services.kit.dead_letters import DeadLetter, LetterId

VALUE = b'{"pipeline_name": "churn", "step_names": ["train"]}'


def letter(value: bytes | None = VALUE, command_type: bytes | None = b"pipeloom.PipelineRequested.v1") -> DeadLetter:
    return DeadLetter(
        id=LetterId(3, 1042),
        environment="lab",
        command_id=None,
        code="invalid_attribute",
        message="as the test wants it",
        received_at=datetime(2026, 1, 31, tzinfo=UTC),
        status="open",
        settled_at=None,
        settled_by=None,
        replayed_as=None,
        value_bytes=0,
        value=value,
        headers=[] if command_type is None else [("ce_type", command_type)],
    )


def test_a_letter_that_holds_a_command_is_that_command() -> None:
    assert replayed(letter()) == PipelineRequested(pipeline_name="churn", step_names=["train"])


@pytest.mark.parametrize(
    ("value", "command_type", "code"),
    [
        (b"no JSON", b"pipeloom.PipelineRequested.v1", "invalid_json"),
        (None, b"pipeloom.PipelineRequested.v1", "invalid_json"),
        (b"{}", b"pipeloom.PipelineRequested.v1", "invalid_body"),
        (VALUE, b"pipeloom.Nonsense.v1", "unknown_type"),
        (VALUE, b"nonsense", "unknown_type"),
        (VALUE, None, "missing_attribute"),
        (VALUE, b"pipeloom.PipelineRequested.v999", "unknown_version"),
    ],
)
def test_a_letter_that_holds_none_says_why(value: bytes | None, command_type: bytes | None, code: str) -> None:
    with pytest.raises(Refused) as refused:
        replayed(letter(value, command_type))
    assert refused.value.code == code


def test_a_builders_report_is_not_replayed_by_a_user() -> None:
    report = b'{"step_name": "train", "requested_by": "0192f6a0-0000-7000-8000-000000000001", "outcome": "ready"}'
    with pytest.raises(Refused, match="Builders send it") as refused:
        replayed(letter(report, b"pipeloom.StepBuildReported.v1"))
    assert refused.value.code == "invalid_body"


@pytest.mark.parametrize(
    ("command_type", "steps"),
    [
        (b"pipeloom.PipelineRequested.v1", ["train"]),
        (b"pipeloom.PipelineRequested.v2", None),
        (b"pipeloom.StepRequested.v1", None),
        (None, None),
    ],
)
def test_fields_of_an_earlier_version_are_mended_as_those_of_the_present_one(
    monkeypatch: pytest.MonkeyPatch, command_type: bytes | None, steps: list[str] | None
) -> None:
    class Second(CommandData):
        version: ClassVar[int] = 2
        steps: list[str]

    Second.__name__ = "PipelineRequested"
    monkeypatch.setitem(
        EARLIER, ("PipelineRequested", 1), Earlier(PipelineRequested, lambda asked: {"steps": asked.step_names})
    )
    assert object_of(letter(command_type=command_type), Second).get("steps") == steps


def test_a_letter_in_structured_mode_is_read_as_the_composer_reads_it() -> None:
    document = b'{"type": "pipeloom.PipelineRequested.v1", "data": ' + VALUE + b"}"
    structured = replace(letter(document), headers=[("content-type", b"application/cloudevents+json")])
    assert replayed(structured) == replayed(letter())


def test_a_type_may_be_mended() -> None:
    assert mended_type(letter(command_type=None), Mended(type="PipelineRequested")) is PipelineRequested


@pytest.mark.parametrize("command_type", ["StepBuildReported", "EnvironmentVariablesRequested"])
def test_what_no_user_may_write_cannot_be_mended(command_type: str) -> None:
    with pytest.raises(Refused, match="cannot be mended") as refused:
        mended_type(letter(command_type=f"pipeloom.{command_type}.v1".encode()), Mended(data={}))
    assert refused.value.code == "invalid_body"


@pytest.mark.parametrize("fields", [{"body": {}}, {"data": []}, {"data": "x"}, {"type": 7}])
def test_a_mending_that_cannot_be_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(Refused) as refused:
        read_mended(fields)
    assert refused.value.code == "invalid_body"


def test_a_letter_without_an_object_has_no_fields_to_send_under_another_type() -> None:
    with pytest.raises(Refused, match="a list"):
        object_of(letter(b"[]"), PipelineRequested)

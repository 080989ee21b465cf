"""What a dead letter is sent again as."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from events.commands import PipelineRequested
from events.refusals import Refused
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
        object_of(letter(b"[]"))

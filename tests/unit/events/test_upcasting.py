"""What was written in an earlier version of a type is read as the present one."""

from dataclasses import replace
from typing import Any, ClassVar

import pytest
from pydantic import JsonValue

from events.codec import decode_command, encode_command, encode_event, read_attributes
from events.commands import COMMANDS, CommandData
from events.commands import PipelineRequested as FirstPipelineRequested
from events.envelope import Command
from events.refusals import Code, Refused
from events.results import RESULTS, EventData
from events.upcasting import EARLIER, Earlier, present

from .conftest import MakeCommand, MakeEvent
from .test_refused_records import RECEIVED


class SecondPipelineRequested(CommandData):
    """In the second version `step_names` is called `steps`."""

    version: ClassVar[int] = 2
    pipeline_name: str
    steps: list[str]

    def subject(self) -> str:
        return f"pipelines/{self.pipeline_name}"


class PipelineRequested(SecondPipelineRequested):
    """The third version demands a priority."""

    version: ClassVar[int] = 3
    priority: int


class PipelineDeleted(EventData):
    version: ClassVar[int] = 2
    pipeline: dict[str, JsonValue]
    gone: list[str]


class FirstPipelineDeleted(EventData):
    pipeline: dict[str, JsonValue]


def to_second(asked: FirstPipelineRequested) -> dict[str, JsonValue]:
    return {"pipeline_name": asked.pipeline_name, "steps": list(asked.step_names)}


def to_third(asked: SecondPipelineRequested) -> dict[str, JsonValue]:
    return {**asked.model_dump(), "priority": 0}


@pytest.fixture(autouse=True)
def raised(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command of which two earlier versions are known, and an event with one."""
    monkeypatch.setitem(COMMANDS, "PipelineRequested", PipelineRequested)
    monkeypatch.setitem(EARLIER, ("PipelineRequested", 1), Earlier(FirstPipelineRequested, to_second))
    monkeypatch.setitem(EARLIER, ("PipelineRequested", 2), Earlier(SecondPipelineRequested, to_third))
    monkeypatch.setitem(RESULTS, "PipelineDeleted", PipelineDeleted)
    monkeypatch.setitem(
        EARLIER, ("PipelineDeleted", 1), Earlier(FirstPipelineDeleted, lambda told: {**told.model_dump(), "gone": []})
    )


def arrived(sent: Command, value: bytes | None = None, version: int | None = None) -> Command:
    record = encode_command(sent)
    attributes = read_attributes(record.headers)
    if version is not None:
        attributes["type"] = f"pipeloom.PipelineRequested.v{version}"
    return decode_command(attributes, record.value if value is None else value, RECEIVED)


@pytest.mark.parametrize(
    "written",
    [
        FirstPipelineRequested(pipeline_name="churn", step_names=["train"]),
        SecondPipelineRequested(pipeline_name="churn", steps=["train"]),
        PipelineRequested(pipeline_name="churn", steps=["train"], priority=0),
    ],
    ids=lambda data: f"v{data.version}",
)
def test_a_command_of_any_version_is_read_as_the_present_one(make_command: MakeCommand, written: CommandData) -> None:
    command = arrived(make_command(data=written), version=written.version)
    assert command.data == PipelineRequested(pipeline_name="churn", steps=["train"], priority=0)
    assert command.type == "PipelineRequested"


def test_a_field_that_only_a_later_version_knows_means_nothing_in_an_earlier_one(make_command: MakeCommand) -> None:
    value = b'{"pipeline_name": "churn", "step_names": ["train"], "priority": 9}'
    assert arrived(make_command(), value, version=1).data.model_dump()["priority"] == 0


def test_what_its_own_version_refuses_is_refused_in_the_words_of_that_version(make_command: MakeCommand) -> None:
    with pytest.raises(Refused, match="step_names") as caught:
        arrived(make_command(), b'{"pipeline_name": "churn", "steps": ["train"]}', version=1)
    assert caught.value.code is Code.INVALID_BODY


@pytest.mark.parametrize("version", [0, 4])
def test_a_version_from_which_no_steps_lead_here_is_unknown(make_command: MakeCommand, version: int) -> None:
    with pytest.raises(Refused, match="send version 3") as caught:
        arrived(make_command(), version=version)
    assert caught.value.code is Code.UNKNOWN_VERSION


def test_a_command_that_is_repeated_after_the_upgrade_is_the_same_command(make_command: MakeCommand) -> None:
    sent = make_command(data=FirstPipelineRequested(pipeline_name="churn", step_names=["train"]))
    assert arrived(sent, version=1).fingerprint() == sent.fingerprint()
    assert arrived(sent, b'{"pipeline_name": "b", "step_names": []}', version=1).fingerprint() != sent.fingerprint()


def test_an_optional_field_more_does_not_change_what_a_command_is(make_command: MakeCommand) -> None:
    class StepDeleteRequested(CommandData):
        step_name: str

    class Wider(StepDeleteRequested):
        note: str | None = None

    Wider.__name__ = StepDeleteRequested.__name__
    before = make_command(data=StepDeleteRequested(step_name="s"))
    assert make_command(data=Wider(step_name="s")).fingerprint() == before.fingerprint()


def test_an_event_of_an_earlier_version_is_read_as_the_present_one_and_keeps_its_place(make_event: MakeEvent) -> None:
    told = make_event(type="PipelineDeleted", version=1, data='{"pipeline": {"pipeline_name": "churn"}}')
    read = present(told)
    assert read == replace(told, version=2, data='{"pipeline":{"pipeline_name":"churn"},"gone":[]}')
    assert read.id == told.id


@pytest.mark.parametrize(
    "change",
    [
        {"type": "PipelineDeleted", "version": 2},
        {"type": "PipelineDeleted", "version": 3},
        {"type": "PipelineCreated", "version": 0},
        {"type": "SomethingElse"},
    ],
    ids=str,
)
def test_an_event_that_is_present_or_unknown_stays_as_it_is(make_event: MakeEvent, change: dict[str, Any]) -> None:
    event = make_event(data="not even JSON", **change)
    assert present(event) is event


def test_what_is_published_says_in_which_version_it_was_written(make_event: MakeEvent) -> None:
    attributes = read_attributes(encode_event(make_event(type="PipelineDeleted", version=1)).headers)
    assert (attributes["type"], attributes["dataschema"]) == (
        "pipeloom.PipelineDeleted.v1",
        "pipeloom:/schemas/events/PipelineDeleted.v1.json",
    )

"""What the builder takes for something to build."""

from types import SimpleNamespace
from typing import Any, ClassVar
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from events.codec import encode_event
from events.envelope import Event, Position
from events.examples import AT, PENDING_STEP, PIPELINE
from events.results import RESULTS, EventData, PipelineCreated, StepCreated
from events.upcasting import EARLIER, Earlier
from services.builder import intake
from services.builder.intake import step_to_build
from services.kit.live import _decoded


class DatedStepCreated(StepCreated):
    """A second version, which says when."""

    version: ClassVar[int] = 2
    since: str


DatedStepCreated.__name__ = StepCreated.__name__


def _record(data: EventData, **changes: Any) -> SimpleNamespace:
    event = Event(
        partition=0,
        position=Position(1, 0),
        environment="demo",
        sequence=1,
        type=type(data).__name__,
        version=data.version,
        subject=data.subject(),
        command_id=uuid4(),
        command_source="/tests",
        is_result=True,
        actor="ada",
        time=AT,
        data=data.model_dump_json(),
    )
    record = encode_event(event)
    return SimpleNamespace(**{"partition": 0, "offset": 7, "headers": record.headers, "value": record.value, **changes})


@pytest.fixture
def raised(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process knows a second version of StepCreated, and the first one."""
    to_next = Earlier(StepCreated, lambda told: {**told.model_dump(mode="json"), "since": told.step.created_at})
    monkeypatch.setitem(RESULTS, "StepCreated", DatedStepCreated)
    monkeypatch.setitem(EARLIER, ("StepCreated", 1), to_next)
    monkeypatch.delitem(intake.BEGINNINGS, ("StepCreated", 1))
    monkeypatch.setitem(intake.BEGINNINGS, ("StepCreated", 2), DatedStepCreated)


def test_a_created_step_is_to_be_built() -> None:
    asked = step_to_build(_record(StepCreated(step=PENDING_STEP)))
    assert asked is not None
    assert asked[1] == PENDING_STEP


@pytest.mark.parametrize(
    "record", [_record(PipelineCreated(pipeline=PIPELINE)), _record(StepCreated(step=PENDING_STEP), headers=[])]
)
def test_anything_else_is_not(record: SimpleNamespace) -> None:
    assert step_to_build(record) is None


def test_a_foreign_record_is_skipped_with_a_reason_in_words() -> None:
    with capture_logs() as logged:
        step_to_build(_record(StepCreated(step=PENDING_STEP), headers=[]))
    assert logged[0]["error"].startswith("it lacks headers that every event of ours has: ce_type, ce_position, ")


@pytest.mark.usefixtures("raised")
@pytest.mark.parametrize("data", [StepCreated(step=PENDING_STEP), DatedStepCreated(step=PENDING_STEP, since=AT)])
def test_a_step_that_was_created_in_an_earlier_version_is_to_be_built_too(data: EventData) -> None:
    asked = step_to_build(_record(data))
    assert asked is not None
    assert (asked[0].version, asked[1]) == (2, PENDING_STEP)


@pytest.mark.usefixtures("raised")
def test_who_waits_for_an_event_of_an_earlier_version_gets_the_present_one() -> None:
    (event,) = _decoded(0, [_record(StepCreated(step=PENDING_STEP))])
    assert DatedStepCreated.model_validate_json(event.data).since == AT

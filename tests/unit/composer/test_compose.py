"""A batch: each record in order, each command id once, every one with its result."""

from uuid import uuid4

import pytest

from events.commands import PipelineDeleteRequested, PipelineRequested, StepDeleteRequested
from events.envelope import Position
from events.refusals import Code, Refused
from events.results import CommandRejected
from services.composer.batch import CommandKey, Outcome
from services.composer.compose import compose, needs_of, refuse_as_broken
from services.composer.intake import Unusable
from tests.unit.composer.world import (
    ENVIRONMENT,
    batch_state,
    command,
    deployment,
    having,
    pipeline,
    received,
    step,
)

CREATE = PipelineRequested(pipeline_name="p", step_names=["s"])
DELETE = PipelineDeleteRequested(pipeline_name="p", force_deployments_deletion=True)


def unusable(owner: str | None = ENVIRONMENT, with_id: bool = True, value: bytes = b"?") -> Unusable:
    return Unusable(
        refusal=Refused(Code.INVALID_JSON, "not JSON"),
        environment=owner,
        claimed_environment=ENVIRONMENT,
        command_id=uuid4() if with_id else None,
        command_type="PipelineRequested",
        command_subject="pipelines/p",
        source="/tests",
        actor="ada",
        fingerprint=value,
    )


def told(outcome: Outcome) -> list[tuple[str, int | None, str, bool]]:
    return [(event.type, event.sequence, str(event.position), event.is_result) for event in outcome.events]


def test_a_command_whose_event_no_record_can_hold_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    # Given
    monkeypatch.setattr("services.composer.compose.MAX_RECORD_BYTES", 300)
    state = batch_state(having(step()), CREATE)
    # When
    outcome = compose([(received(10), command(CREATE))], state)
    # Then
    assert told(outcome) == [("CommandRejected", 2, "10.0", True)]
    assert '"payload_too_large"' in outcome.events[0].data
    assert state.environments[ENVIRONMENT].pipelines.find("p") is None


def test_each_command_of_a_batch_sees_what_the_ones_before_it_changed() -> None:
    # Given
    asked = [command(CREATE), command(CREATE), command(DELETE), command(CREATE)]
    state = batch_state(having(step()), CREATE, DELETE)
    # When
    outcome = compose([(received(offset), each) for offset, each in enumerate(asked, start=10)], state)
    # Then
    assert told(outcome) == [
        ("PipelineCreated", 2, "10.0", True),
        ("CommandRejected", 3, "11.0", True),
        ("PipelineDeleted", 4, "12.0", True),
        ("PipelineCreated", 5, "13.0", True),
    ]
    kept = state.environments[ENVIRONMENT].pipelines
    assert [(name, entry and entry.version) for name, entry in kept.changes()] == [("p", 5)]


def test_a_forced_deletion_marks_only_its_last_event_as_the_result() -> None:
    # Given
    state = batch_state(having(step(), pipeline(), deployment()), DELETE)
    asked = command(DELETE)
    # When
    outcome = compose([(received(7), asked)], state)
    # Then
    assert told(outcome) == [("DeploymentDeleted", 4, "7.0", False), ("PipelineDeleted", 5, "7.1", True)]
    assert [event.id for event in outcome.events] == [f"{asked.id}.0", f"{asked.id}.1"]
    assert [entry.position for entry in outcome.inbox] == [Position(7, 1)]


def test_a_repeated_command_id_has_no_second_effect_and_no_second_result() -> None:
    asked = command(CREATE)
    outcome = compose([(received(1), asked), (received(2), asked)], batch_state(having(step()), CREATE))
    assert (len(outcome.events), len(outcome.inbox), outcome.dead_letters) == (1, 1, [])


def test_a_command_id_that_the_inbox_knows_has_no_effect() -> None:
    asked = command(CREATE)
    state = batch_state(having(step()), CREATE)
    state.inbox[CommandKey(ENVIRONMENT, asked.id)] = asked.fingerprint()
    outcome = compose([(received(1), asked)], state)
    assert (outcome.events, outcome.inbox, outcome.dead_letters) == ([], [], [])


def test_a_command_id_with_another_body_is_buried_and_the_first_result_stands() -> None:
    # Given
    first = command(CREATE)
    second = command(StepDeleteRequested(step_name="s"), command_id=first.id)
    state = batch_state(having(step()), CREATE, second.data)
    # When
    outcome = compose([(received(1), first), (received(2), second)], state)
    # Then
    assert [event.type for event in outcome.events] == ["PipelineCreated"]
    assert [letter.refusal.code for letter in outcome.dead_letters] == [Code.COMMAND_ID_REUSED]


def test_a_refused_command_changes_nothing_and_takes_its_id() -> None:
    # Given
    asked = command(CREATE)
    state = batch_state([], CREATE)
    # When
    outcome = compose([(received(1), asked)], state)
    # Then
    rejected = CommandRejected.model_validate_json(outcome.events[0].data)
    assert (rejected.code, rejected.command_type, rejected.command_subject) == (
        "step_not_found",
        "PipelineRequested",
        "pipelines/p",
    )
    assert outcome.inbox[0].key.command_id == asked.id
    assert not list(state.environments[ENVIRONMENT].pipelines.changes())


@pytest.mark.parametrize(
    ("given", "sequences", "inbox"),
    [
        pytest.param(unusable(), [1], 1, id="owned: in the environment's order, and the id is taken"),
        pytest.param(unusable(owner=None), [None], 0, id="stray: told, but outside of any order"),
        pytest.param(unusable(with_id=False), [], 0, id="without an id: nobody can be told"),
    ],
)
def test_a_record_that_is_no_command_is_buried_and_rejected_where_it_has_an_id(
    given: Unusable, sequences: list[int | None], inbox: int
) -> None:
    outcome = compose([(received(3, b"?"), given)], batch_state([]))
    assert [event.sequence for event in outcome.events] == sequences
    assert [letter.record.value for letter in outcome.dead_letters] == [b"?"]
    assert len(outcome.inbox) == inbox


def test_a_command_for_an_environment_that_does_not_exist_is_a_stray() -> None:
    asked = command(CREATE, environment="nowhere")
    outcome = compose([(received(), asked)], batch_state([]))
    assert [(event.environment, event.sequence) for event in outcome.events] == [("nowhere", None)]
    assert [letter.refusal.code for letter in outcome.dead_letters] == [Code.UNKNOWN_ENVIRONMENT]
    assert outcome.inbox == []


def test_a_command_that_breaks_us_is_refused_as_our_fault() -> None:
    # Given
    asked = command(CREATE)
    record = received(5)
    # When
    outcome = compose([(record, refuse_as_broken(record, asked))], batch_state(having(step())))
    # Then
    assert CommandRejected.model_validate_json(outcome.events[0].data).code == "internal_error"
    assert outcome.inbox[0].fingerprint == asked.fingerprint()


def test_a_batch_names_its_needs_once_for_each_environment() -> None:
    # Given
    asked = [command(CREATE), command(DELETE), command(CREATE, environment="other")]
    # When
    needs = needs_of([(received(), each) for each in asked] + [(received(), unusable(owner=None))])
    # Then
    assert set(needs.environments) == {ENVIRONMENT, "other"}
    assert needs.environments[ENVIRONMENT].doomed_pipelines == {"p"}
    assert needs.commands == {CommandKey(each.environment, each.id) for each in asked}

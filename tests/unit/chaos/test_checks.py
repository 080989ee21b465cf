"""The checks of chaos are checked: each kind of damage is found, by the check whose promise it breaks."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from aiokafka import ConsumerRecord

from events.codec import Record, encode_command, encode_event
from events.commands import CommandData, PipelineRequested, StepBuildReported, StepRequested
from events.envelope import Command
from tests.chaos.harness.history import Asked, History, Produced, Sort, Told
from tests.chaos.harness.replay import Replayed, replayed
from tests.chaos.harness.report import Check
from tests.chaos.harness.stored import stored_checks
from tests.chaos.harness.told import client_checks, feed_check
from tests.chaos.harness.truth import Truth
from tests.unit.composer.world import ENVIRONMENT, command

STEP = StepRequested.model_validate(
    {"step_name": "s", "function_path": "s.py", "function_name": "run", "inputs": [], "outputs": []}
)
ASKED: Sequence[CommandData] = [
    STEP,
    StepBuildReported(step_name="s", requested_by=str(UUID(int=1)), outcome="ready"),
    PipelineRequested(pipeline_name="p", step_names=["s"]),
    PipelineRequested(pipeline_name="q", step_names=["absent"]),
]
COMMANDS = [command(data, UUID(int=place + 1)) for place, data in enumerate(ASKED)]
CREATED, REFUSED = COMMANDS[2], COMMANDS[3]


def at(offset: int, record: Record) -> ConsumerRecord:
    sizes = (len(record.key), len(record.value))
    return ConsumerRecord("t", 0, offset, 0, 0, record.key, record.value, None, *sizes, tuple(record.headers))


def commands_on_the_topic() -> dict[int, list[ConsumerRecord]]:
    return {0: [at(offset, encode_command(each)) for offset, each in enumerate(COMMANDS)]}


def what_is_right() -> Replayed:
    return replayed(commands_on_the_topic(), 1, [ENVIRONMENT])


def undamaged() -> Truth:
    """Return what a composer and a relay without faults would have stored."""
    right: Any = what_is_right()
    columns = ("environment", "command_id", "fingerprint", "partition", "log_offset", "log_index")
    inbox: Any = [dict(zip(columns, row, strict=True)) for row in right.inbox]
    projection: Any = [
        {"kind": kind, "environment": environment, "name": name, "version": version, "body": body}
        for (kind, environment, name), (version, body) in right.projection.items()
    ]
    return Truth(
        commands=commands_on_the_topic(),
        commands_end={0: len(COMMANDS)},
        events={0: [at(place, encode_event(event)) for place, event in enumerate(right.events)]},
        environments={ENVIRONMENT},
        heads=right.heads,
        cursors={0: len(COMMANDS)},
        inbox=inbox,
        log=right.events,
        dead_letters=[],
        projection=projection,
        audit=[moved(1, 0, "one"), moved(1, 2, "one"), moved(2, 2, "two"), moved(2, 4, "two")],
    )


def moved(epoch: int, next_offset: int, by_user: str) -> Any:
    return {"partition": 0, "epoch": epoch, "next_offset": next_offset, "by_user": by_user}


def broken(checks: Sequence[Check]) -> str:
    return "; ".join(check.promise for check in checks if check.broken)


def asked(of: Command, told: Told, code: str = "", unknowns: int = 0) -> Asked:
    return Asked(ENVIRONMENT, "c", of.id, "k", "POST", "/pipelines", None, told, 0, code, "", unknowns)


def test_what_is_as_it_should_be_breaks_nothing() -> None:
    history = History(
        asked=[asked(CREATED, Told.OK), asked(REFUSED, Told.REFUSED, "step_not_found")],
        produced=[Produced(ENVIRONMENT, CREATED.id, Sort.GOOD, 0, 2), Produced(ENVIRONMENT, None, Sort.POISON)],
    )

    assert broken([*stored_checks(undamaged(), what_is_right()), *client_checks(undamaged(), history)]) == ""
    assert broken([feed_check(undamaged(), {ENVIRONMENT: [event.id for event in undamaged().log]})]) == ""


def twice_on_the_topic(truth: Truth) -> Truth:
    return replace(truth, events={0: [*truth.events[0], truth.events[0][-1]]})


def another_record(truth: Truth) -> Truth:
    other = at(9, encode_event(replace(truth.log[0], data="{}")))
    return replace(truth, events={0: [other, *truth.events[0][1:]]})


DAMAGES: dict[str, tuple[Callable[[Truth], Truth], str]] = {
    "an event lost": (lambda truth: replace(truth, log=truth.log[:-1]), "the event log is the commands"),
    "an event twice": (lambda truth: replace(truth, log=[*truth.log, truth.log[-1]]), "has one result"),
    "events in another order": (lambda truth: replace(truth, log=truth.log[::-1]), "the places 1, 2, 3"),
    "a published event lost": (lambda truth: replace(truth, events={0: truth.events[0][:-1]}), "the events topic"),
    "an event published twice": (twice_on_the_topic, "the events topic"),
    "another record than the row": (another_record, "the events topic"),
    "an inbox row lost": (lambda truth: replace(truth, inbox=truth.inbox[1:]), "the inbox"),
    "a resource lost": (lambda truth: replace(truth, projection=truth.projection[1:]), "the projection"),
    "a head behind": (lambda truth: replace(truth, heads={ENVIRONMENT: 1}), "the last place"),
    "a cursor behind": (lambda truth: replace(truth, cursors={0: 2}), "each cursor stands"),
    "a fenced writer": (lambda truth: replace(truth, audit=[*truth.audit, moved(2, 5, "one")]), "no epoch wrote"),
    "an old epoch": (lambda truth: replace(truth, audit=[*truth.audit, moved(1, 5, "one")]), "no epoch wrote"),
    "a cursor that went back": (lambda truth: replace(truth, audit=[*truth.audit, moved(2, 3, "two")]), "no epoch"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_to_what_is_stored_is_found(damage: str) -> None:
    cause, promise = DAMAGES[damage]

    assert promise in broken(stored_checks(cause(undamaged()), what_is_right()))


LIES: dict[str, History] = {
    "a command that nobody knows": History(asked=[asked(command(STEP), Told.OK)]),
    "success told of a refusal": History(asked=[asked(REFUSED, Told.OK)]),
    "a refusal told of success": History(asked=[asked(CREATED, Told.REFUSED, "step_not_found")]),
    "another refusal than the one that is logged": History(asked=[asked(REFUSED, Told.REFUSED, "pipeline_exists")]),
    "a command that stays unknown": History(asked=[asked(CREATED, Told.UNKNOWN, unknowns=1)]),
    "a record lost by Kafka": History(produced=[Produced(ENVIRONMENT, CREATED.id, Sort.GOOD, 0, 99)]),
    "poison that was not buried": History(produced=[Produced(ENVIRONMENT, None, Sort.POISON, 0, 2)]),
    "what a client complained of": History(wrong=["500"]),
}


@pytest.mark.parametrize("lie", LIES)
def test_what_a_client_was_told_wrongly_is_found(lie: str) -> None:
    assert broken(client_checks(undamaged(), LIES[lie])) != ""


@pytest.mark.parametrize("ids", [slice(1, None), slice(None, -1), slice(None, None, -1)], ids=["gap", "short", "order"])
def test_a_feed_that_differs_from_the_log_is_found(ids: slice) -> None:
    logged = [event.id for event in undamaged().log]

    assert feed_check(undamaged(), {ENVIRONMENT: logged[ids]}).broken

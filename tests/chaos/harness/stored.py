"""The promises that what Kafka and Postgres hold at the end must keep, whatever clients were told."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from events.codec import encode_event
from events.envelope import Event
from events.results import CommandRejected
from tests.chaos.harness.replay import Replayed
from tests.chaos.harness.report import Check
from tests.chaos.harness.truth import Truth

REJECTED = CommandRejected.__name__


def stored_checks(truth: Truth, replay: Replayed) -> list[Check]:
    """Hold what is stored against what the pure rules make of the commands."""
    return [
        _same("the event log is the commands, decided one after the other", truth.log, replay.events),
        _same("the inbox is the commands that took effect, once each", _inbox(truth), replay.inbox),
        _same("the dead letters are the records that were no commands", _letters(truth), replay.dead_letters),
        _same("the projection is the commands, decided one after the other", _projection(truth), replay.projection),
        _same("the last place of each environment", truth.heads, replay.heads),
        _places(truth.log),
        _one_result(truth.log),
        _none_from_a_refused(truth.log),
        _published(truth),
        _cursors(truth),
        _epochs(truth),
        _own_environment(truth.log),
    ]


def _same(promise: str, found: Any, wanted: Any) -> Check:
    check = Check(promise, len(wanted))
    if found == wanted:
        return check
    if isinstance(wanted, list):
        check.complain(first_difference(found, wanted))
        return check
    found, wanted = (set(each.items()) if isinstance(each, dict) else each for each in (found, wanted))
    for each in sorted(found - wanted, key=str):
        check.complain("made up:", each)
    for each in sorted(wanted - found, key=str):
        check.complain("missing:", each)
    return check


def first_difference(found: list[Any], wanted: list[Any]) -> str:
    pairs = enumerate(zip(found, wanted, strict=False))
    at = next((place for place, (one, other) in pairs if one != other), min(len(found), len(wanted)))
    return f"{len(found)} instead of {len(wanted)}; at {at} {found[at : at + 1]} instead of {wanted[at : at + 1]}"


def _inbox(truth: Truth) -> set[Any]:
    return {
        (
            r["environment"],
            UUID(int=r["command_id"].int),
            bytes(r["fingerprint"]),
            r["partition"],
            r["log_offset"],
            r["log_index"],
        )
        for r in truth.inbox
    }


def _letters(truth: Truth) -> set[Any]:
    return {(row["partition"], row["log_offset"], row["code"]) for row in truth.dead_letters}


def _projection(truth: Truth) -> dict[Any, Any]:
    return {(r["kind"], r["environment"], r["name"]): (r["version"], r["body"]) for r in truth.projection}


def is_result(event: Event) -> bool:
    return event.is_result and event.sequence is not None


def _places(log: Sequence[Event]) -> Check:
    check = Check("an environment's history has the places 1, 2, 3 …")
    last: Counter[str] = Counter()
    for event in log:
        if event.sequence is not None:
            check.hold(event.sequence == last[event.environment] + 1, event)
            last[event.environment] = event.sequence
    return check


def _one_result(log: Sequence[Event]) -> Check:
    check = Check("each command that took effect has one result")
    results = Counter((event.environment, event.command_id) for event in log if is_result(event))
    commands = {(event.environment, event.command_id) for event in log if event.sequence is not None}
    for key in commands:
        check.hold(results[key] == 1, key, "has", results[key])
    return check


def _none_from_a_refused(log: Sequence[Event]) -> Check:
    check = Check("a refused command has its refusal alone")
    events = defaultdict(list)
    for event in log:
        if event.sequence is not None:
            events[event.environment, event.command_id].append(event.type)
    for key, types in events.items():
        if REJECTED in types:
            check.hold(types == [REJECTED], key, types)
    return check


def _published(truth: Truth) -> Check:
    """The topic as readers of committed records see it."""
    check = Check("the events topic is the event log, record by row, in order, none twice")
    logged = defaultdict(list)
    for event in truth.log:
        record = encode_event(event)
        logged[event.partition].append((record.key, record.value, tuple(record.headers)))
    for partition, wanted in logged.items():
        found = [(each.key, each.value, tuple(each.headers)) for each in truth.events.get(partition, [])]
        check.over += len(wanted)
        if found != wanted:
            check.complain(f"partition {partition}: {first_difference(found, wanted)}")
    return check


def _cursors(truth: Truth) -> Check:
    check = Check("each cursor stands at the end of its log")
    for partition, end in truth.commands_end.items():
        at = truth.cursors.get(partition, 0)
        check.hold(at == end, f"{partition}: {at} instead of {end}")
    return check


def _epochs(truth: Truth) -> Check:
    """A claim raises the epoch and moves nothing; every other move is the last claimer's, and goes forward."""
    check = Check("no epoch wrote after a later one had claimed; each cursor only went forward")
    last: dict[int, tuple[int, int, str]] = {}
    for row in truth.audit:
        partition, move = row["partition"], (row["epoch"], row["next_offset"], row["by_user"])
        before = last.get(partition)
        if before is None:
            is_right = move[0] == 1
        elif move[0] == before[0] + 1:
            is_right = move[1] == before[1]
        else:
            is_right = move[0] == before[0] and move[1] > before[1] and move[2] == before[2]
        check.hold(is_right, partition, move, "after", before)
        last[partition] = move
    return check


def _own_environment(log: Sequence[Event]) -> Check:
    """Every name that clients make up begins with their environment, but for the variables' and the step of all."""
    check = Check("no event of an environment speaks of another one's resource")
    environments = {event.environment for event in log}
    for event in log:
        if event.sequence is None:  # the refusal of a stray quotes what it was, and is in nobody's history
            continue
        others = [each for each in environments if each != event.environment and each in event.subject + event.data]
        check.hold(not others, event, event.data)
    return check

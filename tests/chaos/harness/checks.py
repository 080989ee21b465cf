"""The promises, each held against what the clients saw and what Kafka and Postgres hold at the end."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from events.codec import encode_event
from events.envelope import Event
from events.results import CommandRejected
from tests.chaos.harness.history import History, Sort, Told
from tests.chaos.harness.replay import Replayed
from tests.chaos.harness.report import Check
from tests.chaos.harness.truth import Truth

REJECTED = CommandRejected.__name__
Id = tuple[str, UUID]


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


def client_checks(truth: Truth, history: History) -> list[Check]:
    """Hold what clients were told against what is stored."""
    results = {(event.environment, event.command_id): event for event in truth.log if _is_result(event)}
    inbox = {(row["environment"], UUID(int=row["command_id"].int)) for row in truth.inbox}
    return [
        _told(history, results, inbox),
        _unknown(history, results),
        _kept_by_kafka(truth, history, inbox),
        _seen(history),
    ]


def feed_check(truth: Truth, feeds: Mapping[str, Sequence[str]]) -> Check:
    """Hold what the live feeds told against the log."""
    check = Check("the live feed of each environment is its event log")
    logged = defaultdict(list)
    for event in truth.log:
        if event.sequence is not None:
            logged[event.environment].append(event.id)
    for environment, ids in feeds.items():
        check.over += len(ids)
        if list(ids) != logged[environment]:
            check.broken.append(f"{environment}: {_first_difference(list(ids), logged[environment])}")
    return check


def _told(history: History, results: Mapping[Id, Event], inbox: set[Id]) -> Check:
    check = Check("each answered command has an inbox row, and the result that was told")
    for each in history.asked:
        if each.told is Told.UNKNOWN:
            continue
        key = (each.environment, each.command_id)
        result = results.get(key)
        check.hold(result is not None and key in inbox, "nothing is stored of", each)
        if result is not None and each.told is not Told.ACCEPTED:
            is_refusal = result.type == REJECTED
            same = is_refusal == (each.told is Told.REFUSED) and (not is_refusal or f'"{each.code}"' in result.data)
            check.hold(same, each, "has the result", result, result.data)
    return check


def _unknown(history: History, results: Mapping[Id, Event]) -> Check:
    check = Check("what nobody knew was resolved to one effect or none by asking again")
    for each in history.asked:
        if each.unknowns:
            check.hold(each.told is not Told.UNKNOWN, "still unknown:", each)
    check.over += sum(not each.is_acknowledged for each in history.produced)
    return check


def _kept_by_kafka(truth: Truth, history: History, inbox: set[Id]) -> Check:
    check = Check("each record that Kafka acknowledged stands where it said, and was decided or buried")
    offsets = {(partition, each.offset) for partition, records in truth.commands.items() for each in records}
    buried = {(row["partition"], row["log_offset"]) for row in truth.dead_letters}
    for each in history.produced:
        if each.is_acknowledged:
            place = (each.partition, each.offset)
            key = (each.environment, each.command_id)
            is_known = key in inbox if each.sort in {Sort.GOOD, Sort.DUPLICATE} else place in buried
            check.hold(place in offsets and is_known, "lost:", each)
    return check


def _seen(history: History) -> Check:
    return Check(
        "what clients saw at once: same answers, own names, read their writes, no 500",
        len(history.asked),
        history.wrong,
    )


def _same(promise: str, found: Any, wanted: Any) -> Check:
    check = Check(promise, len(wanted))
    if found == wanted:
        return check
    if isinstance(wanted, list):
        check.broken.append(_first_difference(found, wanted))
        return check
    found, wanted = (set(each.items()) if isinstance(each, dict) else each for each in (found, wanted))
    check.broken += [f"made up: {each}" for each in sorted(found - wanted, key=str)]
    check.broken += [f"missing: {each}" for each in sorted(wanted - found, key=str)]
    return check


def _first_difference(found: list[Any], wanted: list[Any]) -> str:
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


def _is_result(event: Event) -> bool:
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
    results = Counter((event.environment, event.command_id) for event in log if _is_result(event))
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
            check.broken.append(f"partition {partition}: {_first_difference(found, wanted)}")
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

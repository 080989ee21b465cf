"""The promises to clients: what each was told, held against what is stored."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from uuid import UUID

from events.envelope import Event
from tests.chaos.harness.history import History, Sort, Told
from tests.chaos.harness.report import Check
from tests.chaos.harness.stored import REJECTED, first_difference, is_result
from tests.chaos.harness.truth import Truth

Id = tuple[str, UUID]


def client_checks(truth: Truth, history: History) -> list[Check]:
    """Hold what clients were told against what is stored."""
    results = {(event.environment, event.command_id): event for event in truth.log if is_result(event)}
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
            check.complain(f"{environment}: {first_difference(list(ids), logged[environment])}")
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
    check = Check("what clients saw at once: same answers, own names, read their writes, no 500", len(history.asked))
    for what in history.wrong:
        check.complain(what)
    return check

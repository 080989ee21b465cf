"""What must be so after a run: nothing lost, nothing doubled, nothing made up."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from aiokafka import TopicPartition

from events.codec import decode_event
from events.envelope import Event
from services.composer.batch import BatchState, Outcome
from services.composer.compose import compose, needs_of
from services.composer.decider.needs import Needs
from services.composer.decider.state import EnvironmentState, Shelf
from services.composer.intake import take_in
from services.composer.records import received, undecodable
from services.kit.eventlog import event_of
from tests.simulation.consumers import record_of, unreadable
from tests.simulation.log import PartitionLog
from tests.simulation.tables import Tables
from tests.simulation.workload import ENVIRONMENTS
from tests.simulation.world import COMMANDS, EVENTS, PARTITIONS, World


def violations(world: World) -> list[str]:
    """Return every promise that the run broke, as sentences."""
    tables = world.postgres.tables
    replayed = _replay(world)
    return [
        *_log_is(tables, replayed),
        *_projection_is(tables, replayed.state),
        *_one_result_each(tables, replayed),
        *_published_once(world),
        *_histories_have_no_gaps(tables),
        *_cursors_only_grow(world),
        *_nobody_sees_anothers(tables),
        *world.commits_ahead,
    ]


def _replay(world: World) -> Outcome:
    """Decide every committed command one after the other, through the pure rules alone."""
    state = BatchState({each: EnvironmentState() for each in ENVIRONMENTS})
    whole = Outcome(state)
    for partition in range(PARTITIONS):
        where = TopicPartition(COMMANDS, partition)
        for entry in world.broker.logs[where].committed():
            if entry.payload is not None and entry.payload.is_unreadable:
                record = undecodable(where, entry.offset, unreadable())
            else:
                record = received(record_of(where, entry))
            batch = [(record, take_in(record, PARTITIONS))]
            for environment, needs in needs_of(batch).environments.items():
                if environment in state.environments:
                    _open(state.environments[environment], needs)
            outcome = compose(batch, state)
            whole.events += outcome.events
            whole.inbox += outcome.inbox
            whole.dead_letters += outcome.dead_letters
    return whole


def _open(state: EnvironmentState, needs: Needs) -> None:
    """Let names be asked for that never were; whatever depends on one was asked for before."""
    _open_shelf(state.steps, needs.steps)
    _open_shelf(state.pipelines, needs.pipelines)
    _open_shelf(state.deployments, needs.deployments)
    _open_shelf(state.variables, needs.variables)


def _open_shelf(shelf: Shelf[Any], names: Iterable[str]) -> None:
    for name in names:
        try:
            shelf.find(name)
        except KeyError:
            shelf.load(name, None)


def _log_is(tables: Tables, replayed: Outcome) -> Iterator[str]:
    """Hold the event log, the inbox and the dead letters to the replay."""
    logged = [event_of(row) for _, row in sorted(tables.events.items())]
    yield from _differences("event log", logged, replayed.events)
    inbox = {tuple(entry.key): entry.fingerprint for entry in replayed.inbox}
    found = {key: row["fingerprint"] for key, row in tables.inbox.items()}
    yield from _differences("inbox", sorted(found.items()), sorted(inbox.items()))
    letters = sorted((each.record.partition, each.record.offset, each.refusal.code) for each in replayed.dead_letters)
    found_letters = sorted((*key, row["code"]) for key, row in tables.dead_letters.items())
    yield from _differences("dead letters", found_letters, letters)


def _projection_is(tables: Tables, state: BatchState) -> Iterator[str]:
    for kind, rows in tables.rows.items():
        expected = {}
        for environment, each in state.environments.items():
            for name, kept in getattr(each, f"{kind}s").changes():
                if kept is not None:
                    expected[environment, name] = (kept.version, kept.resource.model_dump_json())
        found = {key: (row["version"], row["body"]) for key, row in rows.items()}
        yield from _differences(f"{kind} rows", sorted(found.items()), sorted(expected.items()))


def _one_result_each(tables: Tables, replayed: Outcome) -> Iterator[str]:
    """Each command id that was taken has one result; what was refused has that alone."""
    results = Counter((row["environment"], row["command_id"]) for row in _own(tables) if row["is_result"])
    everything = Counter((row["environment"], row["command_id"]) for row in _own(tables))
    refused = {(row["environment"], row["command_id"]) for row in _own(tables) if row["type"] == "CommandRejected"}
    for entry in replayed.inbox:
        if results[entry.key] != 1:
            yield f"command {entry.key} has {results[entry.key]} results"
        if entry.key in refused and everything[entry.key] != 1:
            yield f"command {entry.key} was refused and had an effect"
    for key in results.keys() - tables.inbox.keys():
        yield f"there is a result of {key}, which nobody asked"


def _own(tables: Tables) -> Iterator[dict[str, Any]]:
    return (row for row in tables.events.values() if row["sequence"] is not None)


def _published_once(world: World) -> Iterator[str]:
    """The events topic, as its readers see it, is the event log."""
    ids: Counter[str] = Counter()
    for partition in range(PARTITIONS):
        log: PartitionLog = world.broker.logs[TopicPartition(EVENTS, partition)]
        published = [_published(partition, entry.payload) for entry in log.committed()]
        rows = world.postgres.tables.events
        logged = [event_of(row) for key, row in sorted(rows.items()) if key[0] == partition]
        yield from _differences(f"events topic, partition {partition}", published, logged)
        ids.update(event.id for event in published)
    yield from (f"event {event_id} was published {times} times" for event_id, times in ids.items() if times > 1)


def _published(partition: int, payload: Any) -> Event:
    return decode_event(partition, payload.headers, payload.value)


def _histories_have_no_gaps(tables: Tables) -> Iterator[str]:
    histories: defaultdict[str, list[int]] = defaultdict(list)
    for _, row in sorted(tables.events.items()):
        if row["sequence"] is not None:
            histories[row["environment"]].append(row["sequence"])
    for environment, places in histories.items():
        yield from _differences(f"history of {environment}", places, list(range(1, len(places) + 1)))
        if tables.heads.get(environment) != len(places):
            yield f"the head of {environment} is {tables.heads.get(environment)}, its history has {len(places)} places"


def _cursors_only_grow(world: World) -> Iterator[str]:
    """No epoch writes after a later one has claimed; each save begins where the last one ended."""
    epochs: dict[int, int] = {}
    ends: dict[int, int] = {}
    for move in world.postgres.tables.moves:
        epoch, end = epochs.get(move.partition, 0), ends.get(move.partition, 0)
        if move.epoch < epoch or (move.start is None and move.epoch == epoch):
            yield f"partition {move.partition}: epoch {move.epoch} wrote after {epoch} had claimed"
        if end not in {move.start, None} and move.start is not None:
            yield f"partition {move.partition}: a save went on from {move.start}, the cursor stood at {end}"
        if move.end < end:
            yield f"partition {move.partition}: the cursor went back from {end} to {move.end}"
        epochs[move.partition], ends[move.partition] = max(epoch, move.epoch), move.end
    for (_, partition), row in world.postgres.tables.cursors.items():
        end = world.broker.logs[TopicPartition(COMMANDS, partition)].end
        if row["next_offset"] != end:
            yield f"partition {partition}: the cursor stands at {row['next_offset']}, the log ends at {end}"


def _nobody_sees_anothers(tables: Tables) -> Iterator[str]:
    """No environment's rows or events speak of another one."""
    texts = [(environment, row["body"]) for rows in tables.rows.values() for (environment, _), row in rows.items()]
    texts += [(row["environment"], row["data"]) for row in _own(tables) if row["type"] != "CommandRejected"]
    for environment, text in texts:
        for other in ENVIRONMENTS:
            if other != environment and other in text:
                yield f"environment {environment} sees {other}: {text[:200]}"


def _differences(what: str, found: list[Any], expected: list[Any]) -> Iterator[str]:
    if found == expected:
        return
    place = next((at for at, pair in enumerate(zip(found, expected, strict=False)) if pair[0] != pair[1]), None)
    place = min(len(found), len(expected)) if place is None else place
    yield (
        f"{what}: {len(found)} found, {len(expected)} expected; the first difference is at {place}: "
        f"found {found[place : place + 1]}, expected {expected[place : place + 1]}"
    )

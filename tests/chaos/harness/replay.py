"""What the commands come to when the pure rules decide them one after the other, partition by partition."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from aiokafka import ConsumerRecord

from events.envelope import Event
from services.composer.batch import BatchState
from services.composer.compose import compose, needs_of
from services.composer.decider.needs import Needs
from services.composer.decider.state import EnvironmentState, Shelf
from services.composer.intake import take_in
from services.composer.records import received

Key = tuple[str, str, str]


@dataclass
class Replayed:
    """What must be stored; `events` in the order of the commands of each partition."""

    events: list[Event] = field(default_factory=list)
    inbox: set[tuple[str, UUID, bytes, int, int, int]] = field(default_factory=set)
    dead_letters: set[tuple[int, int, str]] = field(default_factory=set)
    projection: dict[Key, tuple[int, str]] = field(default_factory=dict)
    heads: dict[str, int] = field(default_factory=dict)


def replayed(
    commands: Mapping[int, Sequence[ConsumerRecord]], partitions: int, environments: Iterable[str]
) -> Replayed:
    """Return what these commands come to in these environments, on a topic of so many partitions."""
    whole = Replayed()
    state = BatchState({environment: EnvironmentState() for environment in environments})
    for partition in sorted(commands):
        for record in commands[partition]:
            _decide(record, partitions, state, whole)
    for environment, kept in state.environments.items():
        if kept.sequence:
            whole.heads[environment] = kept.sequence
        for kind, shelf in _shelves(kept).items():
            for name, each in shelf.changes():
                if each is not None:
                    whole.projection[kind, environment, name] = each.version, each.resource.model_dump_json()
    return whole


def _decide(record: ConsumerRecord, partitions: int, state: BatchState, whole: Replayed) -> None:
    taken = take_in(received(record), partitions)
    batch = [(received(record), taken)]
    for environment, needs in needs_of(batch).environments.items():
        if environment in state.environments:
            _have(state.environments[environment], needs)
    outcome = compose(batch, state)
    whole.events += outcome.events
    for entry in outcome.inbox:
        place = entry.position
        whole.inbox.add((*entry.key, entry.fingerprint, entry.partition, place.offset, place.index))
    for letter in outcome.dead_letters:
        whole.dead_letters.add((letter.record.partition, letter.record.offset, letter.refusal.code.value))


def _shelves(environment: EnvironmentState) -> dict[str, Shelf[Any]]:
    return {
        "step": environment.steps,
        "pipeline": environment.pipelines,
        "deployment": environment.deployments,
        "variable": environment.variables,
    }


def _have(environment: EnvironmentState, needs: Needs) -> None:
    """Have every name on its shelf that is asked for; all there ever was is on it already."""
    wanted = {
        "step": needs.steps,
        "pipeline": needs.pipelines,
        "deployment": needs.deployments,
        "variable": needs.variables,
    }
    for kind, shelf in _shelves(environment).items():
        for name in wanted[kind]:
            try:
                shelf.find(name)
            except KeyError:
                shelf.load(name, None)

"""Decides a batch: each record in order, each command id once, every one with its result. Pure."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import NamedTuple
from uuid import UUID

from events.envelope import Command, Event, Position, timestamp
from events.refusals import Code, Refused
from events.results import CommandRejected, EventData
from services.composer.decider.decide import decide, evolve
from services.composer.decider.needs import Needs
from services.composer.decider.state import EnvironmentState
from services.composer.intake import Received, Unusable

Taken = tuple[Received, Command | Unusable]
MAX_EVENT_BYTES = 16 * 1024 * 1024


class CommandKey(NamedTuple):
    """A command id is taken once in its environment."""

    environment: str
    command_id: UUID


@dataclass(slots=True)
class BatchNeeds:
    """What a batch names in each environment, and the command ids to look up in the inbox."""

    environments: defaultdict[str, Needs] = field(default_factory=lambda: defaultdict(Needs))
    commands: set[CommandKey] = field(default_factory=set)


@dataclass(slots=True)
class BatchState:
    """What was loaded: the environments that exist, and the fingerprints of the ids that are taken."""

    environments: dict[str, EnvironmentState] = field(default_factory=dict)
    inbox: dict[CommandKey, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class InboxEntry:
    """A command id that was decided: what was asked, and where its result stands."""

    key: CommandKey
    fingerprint: bytes
    partition: int
    position: Position


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that was no command, and why."""

    record: Received
    refusal: Refused
    environment: str | None
    command_id: UUID | None


@dataclass(slots=True)
class Outcome:
    """What a batch changes, to be saved in one transaction."""

    state: BatchState
    events: list[Event] = field(default_factory=list)
    inbox: list[InboxEntry] = field(default_factory=list)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    records: int = 0

    @property
    def event_bytes(self) -> int:
        """How much text the events carry; documents and bodies are a small multiple of it."""
        return self._event_bytes

    def add_event(self, event: Event) -> None:
        """Log an event."""
        self.events.append(event)
        self._event_bytes += len(event.data)

    _event_bytes: int = 0


def needs_of(batch: Iterable[Taken]) -> BatchNeeds:
    """Return what has to be loaded to decide `batch`."""
    needs = BatchNeeds()
    for _, taken in batch:
        if taken.environment is None:
            continue
        wanted = needs.environments[taken.environment]
        if isinstance(taken, Command):
            wanted.add(taken.data)
            needs.commands.add(CommandKey(taken.environment, taken.id))
        elif taken.command_id is not None:
            needs.commands.add(CommandKey(taken.environment, taken.command_id))
    return needs


def compose(batch: Iterable[Taken], state: BatchState) -> Outcome:
    """Return what `batch` changes of `state`, which is kept up to date while it is decided.

    Stops early, after at least one record, when the events weigh more than MAX_EVENT_BYTES: `records` tells how far it
    came. What is saved at once stays bounded so.
    """
    outcome = Outcome(state)
    for record, taken in batch:
        if outcome.event_bytes > MAX_EVENT_BYTES:
            break
        outcome.records += 1
        if isinstance(taken, Command):
            _compose_command(outcome, record, taken)
        else:
            _compose_unusable(outcome, record, taken)
    return outcome


def refuse_as_broken(record: Received, taken: Command | Unusable) -> Unusable:
    """Return the refusal of a record that our own code cannot decide or save, so that the partition goes on."""
    refusal = Refused(
        Code.INTERNAL_ERROR,
        f"Pipeloom could not process this record (partition {record.partition}, offset {record.offset}); "
        "it had no effect and is kept as a dead letter.",
    )
    if isinstance(taken, Command):
        return _unusable_command(taken, refusal, taken.environment)
    return replace(taken, refusal=refusal, command_type="unknown", command_subject="unknown", source="unknown")


def _compose_command(outcome: Outcome, record: Received, command: Command) -> None:
    environment = outcome.state.environments.get(command.environment)
    if environment is None:
        _compose_unusable(outcome, record, _unusable_command(command, _unknown_environment(command), None))
        return
    key = CommandKey(command.environment, command.id)
    fingerprint = command.fingerprint()
    if _is_repeat(outcome, record, key, fingerprint):
        return
    try:
        decided = decide(environment, command)
    except Refused as refusal:
        decided = [_rejection(command.type, command.data.subject(), refusal)]
    _log(outcome, record, environment, command, decided)
    _take_id(outcome, record, key, fingerprint, len(decided) - 1)


def _compose_unusable(outcome: Outcome, record: Received, unusable: Unusable) -> None:
    """Keep the record as a dead letter; reject it where it has an id, in its environment's order where it has one."""
    environment = outcome.state.environments.get(unusable.environment or "")
    if unusable.command_id is not None and environment is not None and unusable.environment is not None:
        key = CommandKey(unusable.environment, unusable.command_id)
        if _is_repeat(outcome, record, key, unusable.fingerprint):
            return
        _take_id(outcome, record, key, unusable.fingerprint, 0)
    _bury(outcome, record, unusable)
    if unusable.command_id is not None and unusable.claimed_environment is not None:
        rejection = _rejection(unusable.command_type, unusable.command_subject, unusable.refusal)
        sequence = None
        if environment is not None:
            environment.sequence += 1
            sequence = environment.sequence
        outcome.add_event(_rejected_event(record, unusable, rejection, sequence))


def _is_repeat(outcome: Outcome, record: Received, key: CommandKey, fingerprint: bytes) -> bool:
    """Tell whether the id is taken. A true repeat is dropped: its result is told already. Another body is buried."""
    taken = outcome.state.inbox.get(key)
    if taken is None:
        return False
    if taken != fingerprint:
        refusal = Refused(
            Code.COMMAND_ID_REUSED,
            f"The command id {key.command_id} was used before with another body; this record had no effect.",
        )
        outcome.dead_letters.append(DeadLetter(record, refusal, key.environment, key.command_id))
    return True


def _take_id(outcome: Outcome, record: Received, key: CommandKey, fingerprint: bytes, index: int) -> None:
    outcome.state.inbox[key] = fingerprint
    outcome.inbox.append(InboxEntry(key, fingerprint, record.partition, Position(record.offset, index)))


def _log(
    outcome: Outcome, record: Received, environment: EnvironmentState, command: Command, decided: list[EventData]
) -> None:
    for index, data in enumerate(decided):
        environment.sequence += 1
        evolve(environment, data, environment.sequence)
        outcome.add_event(
            Event(
                partition=record.partition,
                position=Position(record.offset, index),
                environment=command.environment,
                sequence=environment.sequence,
                type=type(data).__name__,
                version=data.version,
                subject=data.subject(),
                command_id=command.id,
                command_source=command.source,
                is_result=index == len(decided) - 1,
                actor=command.actor,
                time=command.time,
                data=data.model_dump_json(),
                traceparent=command.traceparent,
            )
        )


def _rejected_event(record: Received, unusable: Unusable, data: CommandRejected, sequence: int | None) -> Event:
    if unusable.command_id is None or unusable.claimed_environment is None:
        raise ValueError("a rejection needs a command id and an environment")
    return Event(
        partition=record.partition,
        position=Position(record.offset, 0),
        environment=unusable.claimed_environment,
        sequence=sequence,
        type="CommandRejected",
        version=data.version,
        subject=data.subject(),
        command_id=unusable.command_id,
        command_source=unusable.source,
        is_result=True,
        actor=unusable.actor,
        time=timestamp(record.timestamp),
        data=data.model_dump_json(),
    )


def _bury(outcome: Outcome, record: Received, unusable: Unusable) -> None:
    outcome.dead_letters.append(DeadLetter(record, unusable.refusal, unusable.claimed_environment, unusable.command_id))


def _rejection(command_type: str, subject: str, refusal: Refused) -> CommandRejected:
    return CommandRejected(
        command_type=command_type,
        command_subject=subject,
        code=refusal.code.value,
        message=refusal.message,
        details=refusal.details,
    )


def _unknown_environment(command: Command) -> Refused:
    return Refused(
        Code.UNKNOWN_ENVIRONMENT,
        f"There is no environment '{command.environment}'. Create it with `pipeloom admin`, or check the id.",
    )


def _unusable_command(command: Command, refusal: Refused, owner: str | None) -> Unusable:
    return Unusable(
        refusal=refusal,
        environment=owner,
        claimed_environment=command.environment,
        command_id=command.id,
        command_type=command.type,
        command_subject=command.data.subject(),
        source=command.source,
        actor=command.actor,
        fingerprint=command.fingerprint(),
    )

"""Decides a batch: each record in order, each command id once, every one with its result. Pure."""

from collections.abc import Iterable
from dataclasses import replace

from events.envelope import Command, Event, Position, timestamp
from events.refusals import Code, Refused
from events.results import CommandRejected, EventData
from events.topics import EVENTS_TOPIC
from services.composer.batch import BatchNeeds, BatchState, CommandKey, DeadLetter, InboxEntry, Outcome
from services.composer.decider.decide import decide, evolve
from services.composer.decider.state import EnvironmentState
from services.composer.intake import Received, Unusable

Taken = tuple[Received, Command | Unusable]
MAX_EVENT_BYTES = 16 * 1024 * 1024
# What one record of the events topic holds, beside its headers.
MAX_RECORD_BYTES = EVENTS_TOPIC.max_message_bytes - 64 * 1024


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
        decided = _written(decide(environment, command))
    except Refused as refusal:
        decided = _written([_rejection(command.type, command.data.subject(), refusal)])
    _log(outcome, record, environment, command, decided)
    _take_id(outcome, record, key, fingerprint, len(decided) - 1)


def _written(events: Iterable[EventData]) -> list[tuple[EventData, str]]:
    """Return each event with its text. Raises Refused when no record could hold one: no relay could get past it."""
    written = [(event, event.model_dump_json()) for event in events]
    for event, text in written:
        size = len(text.encode())
        if size > MAX_RECORD_BYTES:
            raise Refused(
                Code.PAYLOAD_TOO_LARGE,
                f"The event {type(event).__name__} would have {size} bytes; a record of the events topic holds "
                f"{MAX_RECORD_BYTES}. Make the resource smaller.",
            )
    return written


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
    outcome: Outcome,
    record: Received,
    environment: EnvironmentState,
    command: Command,
    decided: list[tuple[EventData, str]],
) -> None:
    for index, (data, text) in enumerate(decided):
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
                data=text,
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

"""Spans of a batch: of the whole of it, linked to each command, and of each command in the command's own trace."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pydantic_core
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind

from events.codec import read_attributes
from events.envelope import Command, Event
from events.results import CommandRejected
from services.composer.batch import Outcome
from services.composer.compose import Taken
from services.kit.tracing import (
    Attributes,
    context_of,
    is_on,
    link_to,
    links_to,
    record,
    span,
    trace_id_of,
    traceparent_of,
)

POSTGRES = {"db.system.name": "postgresql"}


class BatchTrace:
    """When what happened to a batch, and the spans that tell it."""

    def __init__(self, topic: str, batch: Sequence[Taken], whole: Span) -> None:
        self._topic = topic
        self._batch = batch
        self._whole = whole
        self._begun = self._decided = time.time_ns()

    def decided(self) -> None:
        """Note that only the saving is left to do."""
        self._decided = time.time_ns()

    def saved(self, outcome: Outcome) -> None:
        """Tell in each command's trace what became of it, now that it is durable."""
        if not is_on():
            return
        ended = time.time_ns()
        results = {(event.partition, event.position.offset): event for event in outcome.events if event.is_result}
        links = [link_to(context) for context in [context_of(traceparent_of(self._whole))] if context is not None]
        for taken in self._batch[: outcome.records]:
            parent = context_of(_traceparent(taken))
            if parent is None:
                continue
            told = self._told(taken) | _result(results.get((taken[0].partition, taken[0].offset)))
            decide = record(
                _name(taken), SpanKind.CONSUMER, self._begun, ended, parent=parent, links=links, attributes=told
            )
            self._tell_save(decide, ended)

    def _tell_save(self, decide: Context | None, ended: int) -> None:
        if decide is not None:
            record("save", SpanKind.CLIENT, self._decided, ended, parent=decide, attributes=POSTGRES)

    def _told(self, taken: Taken) -> dict[str, str | int]:
        received, command = taken
        told: dict[str, str | int] = {
            **_kafka(self._topic),
            "messaging.destination.partition.id": str(received.partition),
            "messaging.kafka.offset": received.offset,
        }
        if isinstance(command, Command):
            told |= {"messaging.message.id": str(command.id), "pipeloom.environment": command.environment}
        return told


@contextmanager
def batch_span(topic: str, batch: Sequence[Taken]) -> Iterator[BatchTrace]:
    """Give the trace of a batch: a span of its own, which is linked to each command that is in a trace."""
    if not is_on():
        with span("batch") as nothing:
            yield BatchTrace(topic, batch, nothing)
        return
    told: Attributes = _kafka(topic) | {"messaging.batch.message_count": len(batch)}
    links = links_to(_traceparent(each) for each in batch)
    with span("batch", SpanKind.CONSUMER, parent=Context(), links=links, attributes=told) as whole:
        yield BatchTrace(topic, batch, whole)


def names_of(taken: Taken) -> dict[str, str | None]:
    """Return what log lines about one record say of it."""
    _, command = taken
    if isinstance(command, Command):
        told = {"command_id": str(command.id), "environment": command.environment}
    else:
        told = {"command_id": str(command.command_id), "environment": command.claimed_environment or "unknown"}
    return {**told, "trace_id": trace_id_of(_traceparent(taken))}


def _traceparent(taken: Taken) -> str | None:
    received, command = taken
    if isinstance(command, Command):
        return command.traceparent
    return read_attributes(received.headers).get("traceparent")


def _name(taken: Taken) -> str:
    """Name the span by the command's type, but by nothing that a stranger has written."""
    return f"decide {taken[1].type}" if isinstance(taken[1], Command) else "decide unusable record"


def _kafka(topic: str) -> dict[str, str | int]:
    return {
        "messaging.system": "kafka",
        "messaging.operation.name": "decide",
        "messaging.operation.type": "process",
        "messaging.destination.name": topic,
    }


def _result(event: Event | None) -> dict[str, str]:
    """Return what became of a command; nothing of a repeat, whose result was told before."""
    if event is None:
        return {"pipeloom.result": "none"}
    told = {"pipeloom.result": event.type}
    if event.type == CommandRejected.__name__:
        told["pipeloom.refusal"] = str(pydantic_core.from_json(event.data)["code"])
    return told

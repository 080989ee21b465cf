"""Spans of publishing: one of the transaction, linked to each command, and one in each command's own trace."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from aiokafka import TopicPartition
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind

from events.envelope import Event
from services.kit.tracing import context_of, is_on, link_to, links_to, record, span, traceparent_of


@contextmanager
def publishing(where: TopicPartition, events: Sequence[Event]) -> Iterator[None]:
    """Trace the transaction inside the block; its events are told of once it is committed."""
    if not is_on():
        yield
        return
    begun = time.time_ns()
    told = _kafka(where) | {"messaging.batch.message_count": len(events)}
    links = links_to(event.traceparent for event in events)
    with span("relay batch", SpanKind.PRODUCER, parent=Context(), links=links, attributes=told) as whole:
        yield
    _tell_each(where, events, whole, begun)


def _tell_each(where: TopicPartition, events: Sequence[Event], whole: Span, begun: int) -> None:
    ended = time.time_ns()
    links = [link_to(context) for context in [context_of(traceparent_of(whole))] if context is not None]
    for event in events:
        parent = context_of(event.traceparent)
        if parent is not None:
            told = _kafka(where) | {
                "messaging.message.id": event.id,
                "pipeloom.event_type": event.type,
                "pipeloom.environment": event.environment,
            }
            name = f"publish {where.topic}"
            record(name, SpanKind.PRODUCER, begun, ended, parent=parent, links=links, attributes=told)


def _kafka(where: TopicPartition) -> dict[str, str | int]:
    return {
        "messaging.system": "kafka",
        "messaging.operation.name": "publish",
        "messaging.operation.type": "send",
        "messaging.destination.name": where.topic,
        "messaging.destination.partition.id": str(where.partition),
    }

"""What the relay tells: what it publishes, and how far behind the event log it is."""

from collections import Counter as Tally
from collections.abc import Sequence

from aiokafka.errors import ProducerFenced
from prometheus_client import Counter, Gauge, Histogram

from events.envelope import Event
from services.kit.metrics import CLIENTS_REPLACED, FINE_S, SIZES

RECORDS = Histogram("pipeloom_relay_transaction_records", "Events in one Kafka transaction", buckets=SIZES)
SECONDS = Histogram("pipeloom_relay_transaction_seconds", "How long a Kafka transaction took", buckets=FINE_S)
PUBLISHED = Counter("pipeloom_relay_published", "Events that were published", ["type"])
FENCED = Counter("pipeloom_relay_fenced", "Publishers that ended because another one took their place")
LAG = Gauge(
    "pipeloom_relay_lag_events", "Events of the log that are not published, counted up to 10,000", ["partition"]
)
OLDEST = Gauge(
    "pipeloom_relay_oldest_unpublished_seconds", "For how long the oldest of them has been seen waiting", ["partition"]
)


def tell_published(events: Sequence[Event]) -> None:
    """Count the events of one transaction, after it was committed."""
    RECORDS.observe(len(events))
    for kind, number in Tally(event.type for event in events).items():
        PUBLISHED.labels(kind).inc(number)


def tell_replaced(error: Exception) -> None:
    """Count the end of a publisher's life by trouble."""
    CLIENTS_REPLACED.labels("events producer").inc()
    if isinstance(error, ProducerFenced):
        FENCED.inc()

"""Takes the records of both topics into the ledger, whatever they are. Nothing that it reads makes it raise."""

from dataclasses import dataclass

from events.codec import Headers
from services.monitor import metrics
from services.monitor.fold import apply_answered, apply_asked, apply_unreadable
from services.monitor.ledger import NO_ENVIRONMENT, Ledger, Place
from services.monitor.records import UnreadableError, read_answered, read_asked

COMMANDS, EVENTS = "commands", "events"


@dataclass(frozen=True, slots=True)
class Taken:
    """A record as it came; `topic` is which of the two it is on."""

    topic: str
    partition: int
    offset: int
    headers: Headers
    value: bytes | None
    at_ms: int


class Intake:
    """Folds records into a ledger."""

    def __init__(self, ledger: Ledger, keep_minutes: int) -> None:
        self._ledger = ledger
        self._keep_minutes = keep_minutes

    def take(self, record: Taken) -> Place | None:
        """Fold one record, one that is none of ours by its reason; return what it has changed."""
        metrics.RECORDS.labels(record.topic).inc()
        try:
            return self._fold(record)
        except UnreadableError as error:
            reason = f"{record.topic}: {error}"
            metrics.UNREADABLE.labels(record.topic, str(error)).inc()
            place = Place(record.partition, NO_ENVIRONMENT)
            apply_unreadable(self._ledger.at(place), record.topic, record.offset, reason)
            return place

    def _fold(self, record: Taken) -> Place | None:
        if record.topic == COMMANDS:
            asked = read_asked(record.headers, record.value, record.at_ms)
            place = Place(record.partition, asked.environment)
            apply_asked(self._ledger.at(place), record.offset, asked)
            return place
        answered = read_answered(record.partition, record.headers, record.value, record.at_ms)
        if answered is None:
            return None
        place = Place(record.partition, answered.environment)
        minutes = apply_answered(self._ledger.at(place), record.offset, answered, self._keep_minutes)
        self._ledger.changed(place, minutes)
        return place

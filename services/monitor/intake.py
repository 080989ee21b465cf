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

    def take(self, record: Taken) -> None:
        """Fold one record; one that is none of ours is counted by its reason."""
        try:
            self._fold(record)
        except UnreadableError as error:
            reason = f"{record.topic}: {error}"
            metrics.UNREADABLE.labels(record.topic, str(error)).inc()
            unread = self._ledger.at(Place(record.partition, NO_ENVIRONMENT))
            apply_unreadable(unread, record.topic, record.offset, reason)
        metrics.RECORDS.labels(record.topic).inc()

    def _fold(self, record: Taken) -> None:
        if record.topic == COMMANDS:
            asked = read_asked(record.headers, record.value, record.at_ms)
            apply_asked(self._ledger.at(Place(record.partition, asked.environment)), record.offset, asked)
            return
        answered = read_answered(record.partition, record.headers, record.value, record.at_ms)
        if answered is not None:
            place = Place(record.partition, answered.environment)
            apply_answered(self._ledger.at(place), record.offset, answered, self._keep_minutes)

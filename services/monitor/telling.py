"""Tells what the ledger holds: notices on the activity topic, numbers in Postgres, and metrics."""

from collections import Counter
from collections.abc import Mapping, Sequence

from events.activity import encode_notice
from services.kit.postgres import Connection
from services.monitor import metrics
from services.monitor.ledger import NO_ENVIRONMENT, Ledger, Place
from services.monitor.measure import Behind
from services.monitor.overdue import notice_of
from services.monitor.snapshots import is_told, tell_activities, tell_parts, tell_progress
from services.monitor.stream import Stream

# So many environments are written in one statement.
CHUNK = 100


class Telling:
    """What of the ledger others know."""

    def __init__(self, ledger: Ledger, stream: Stream, overdue_after_s: float, partitions: int) -> None:
        self._ledger = ledger
        self._stream = stream
        self._overdue_after_s = overdue_after_s
        self._partitions = partitions

    @property
    def has_notices(self) -> bool:
        """Tell whether there is anything to announce."""
        return any(each.outbox for each in self._ledger.activities.values())

    async def announce(self) -> None:
        """Write the notices. One that was written and not counted as told when the process ended is written again."""
        for place, activity in list(self._ledger.activities.items()):
            while activity.outbox:
                told = notice_of(place, activity.outbox[0], self._overdue_after_s)
                record = encode_notice(told)
                await self._stream.tell(record.key, record.value, record.headers)
                metrics.NOTICES.labels(type(told.data).__name__).inc()
                del activity.outbox[0]
                self._ledger.changed(place)

    async def tell(
        self, connection: Connection, parts: Sequence[Behind], at_ms: int, complete_until: Mapping[int, int]
    ) -> None:
        """Write the numbers that have changed, how far behind each part is, and up to when it is complete."""
        complete = dict(complete_until)
        for places in self._ledger.chunks_untold(CHUNK):
            known = {each: self._ledger.activities.get(each) for each in places if is_told(each, self._partitions)}
            self._ledger.untold -= places
            try:
                await tell_activities(connection, known)
            except BaseException:
                self._ledger.untold |= places
                raise
        await tell_parts(connection, parts, at_ms)
        await tell_progress(connection, complete)

    def set_metrics(self, parts: Sequence[Behind]) -> None:
        """Show how things are to Prometheus."""
        activities = self._ledger.activities
        metrics.ENVIRONMENTS.set(_environments(activities))
        metrics.OPEN.set(sum(each.number_open for each in activities.values()))
        overdue = Counter(command.is_overdue for each in activities.values() for command in each.open.values())
        metrics.OVERDUE.set(overdue[True])
        for part in parts:
            metrics.BEHIND.labels(part.part, str(part.partition)).set(part.records)


def _environments(places: Mapping[Place, object]) -> int:
    return sum(place.environment != NO_ENVIRONMENT for place in places)

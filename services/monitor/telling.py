"""Tells what the ledger holds: notices on the activity topic, numbers in Postgres, and metrics."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence

from events.activity import encode_notice
from services.kit.postgres import Connection
from services.monitor import metrics
from services.monitor.ledger import NO_ENVIRONMENT, Changes, Ledger, Place
from services.monitor.measure import Behind
from services.monitor.overdue import notice_of
from services.monitor.snapshots import is_told, tell_activities, tell_progress
from services.monitor.stream import Stream

# So many environments and minutes of them are written in one statement.
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

    async def announce(self, unsaved: Collection[Place]) -> None:
        """Write the notices, but for those that are `unsaved`: who is told that it is overdue is told so once.

        One that was written and not counted as told when the process ended is written again.
        """
        generation = self._ledger.generation
        for place, activity in list(self._ledger.activities.items()):
            while activity.outbox and place not in unsaved:
                told = notice_of(place, activity.outbox[0], self._overdue_after_s)
                record = encode_notice(told)
                await self._stream.tell(record.key, record.value, record.headers)
                metrics.NOTICES.labels(type(told.data).__name__).inc()
                if generation != self._ledger.generation:
                    return  # the partitions are somebody else's now, or restored
                del activity.outbox[0]
                self._ledger.changed(place)

    async def tell(self, connection: Connection, complete_until: Mapping[int, int]) -> None:
        """Write the numbers that have changed, then up to when they are complete."""
        complete = dict(complete_until)
        if await self._tell_changes(connection):
            await tell_progress(connection, complete)

    async def _tell_changes(self, connection: Connection) -> bool:
        """Write what has changed; return false when the partitions changed hands before all of it was written."""
        ledger, taken = self._ledger, self._ledger.take_untold()
        left = dict(taken.changes)
        try:
            for chunk in chunks(taken.changes, CHUNK):
                if ledger.generation != taken.generation:
                    return False
                here = {place: minutes for place, minutes in chunk.items() if is_told(place, self._partitions)}
                await tell_activities(connection, ledger.activities, here)
                for place, minutes in chunk.items():
                    left[place] = left[place] - minutes
                    if not left[place]:
                        del left[place]
        except BaseException:
            ledger.not_told(taken, left)
            raise
        return ledger.generation == taken.generation

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


def chunks(changes: Changes, size: int) -> Iterator[Changes]:
    """Give the changes a few at a time: of an environment with very many minutes some in each."""
    chunk: Changes = {}
    room = size
    for place, minutes in sorted(changes.items()):
        wanted = sorted(minutes)
        while True:
            chunk[place], wanted = set(wanted[: max(room - 1, 0)]), wanted[max(room - 1, 0) :]
            room -= 1 + len(chunk[place])
            if room > 1:
                break
            yield chunk
            chunk, room = {}, size
            if not wanted:
                break
    if chunk:
        yield chunk

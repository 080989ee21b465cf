"""The activities of all environments whose partitions this process holds, and which of them are not saved yet."""

import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import structlog

from services.monitor.activity import Activity, from_bytes, minute_from_bytes, minute_to_bytes, to_bytes

# More environments than that in a partition: the one that was quiet the longest is forgotten.
MAX_ENVIRONMENTS = 1_000
NO_ENVIRONMENT = ""

log = structlog.get_logger()


class Place(NamedTuple):
    """An environment in a partition; a misrouted record may name one that lives on another partition."""

    partition: int
    environment: str

    def key(self, minute: int | None = None) -> bytes:
        """Return the key under which the changelog holds it, or one of its minutes."""
        return f"{self.partition}/{self.environment}{'' if minute is None else f'/{minute}'}".encode()

    @classmethod
    def of(cls, key: bytes) -> tuple["Place", int | None]:
        """Read what `key` wrote."""
        partition, environment, *minute = key.decode().split("/")
        return cls(int(partition), environment), int(minute[0]) if minute else None


Changes = dict[Place, set[int]]
"""Which environments have changed, and which of their minutes. One that is not known was forgotten for good."""


class Taken(NamedTuple):
    """Changes that somebody has taken over; `generation` says for which partitions that was."""

    generation: int
    changes: Changes


class Writing(NamedTuple):
    """What the changelog is to hold of an environment, None where nothing.

    Minutes come before the head whose offsets say that they are told, and are dropped after it: whatever the process
    has come to when it is killed, what is missing is read again, and what is too much is not counted again.
    """

    place: Place
    minutes: Mapping[bytes, bytes | None]
    head: Mapping[bytes, bytes | None]
    dropped: Mapping[bytes, bytes | None]


class Ledger:
    """Activities by place; some are `unsaved` (in the changelog), some `untold` (in Postgres)."""

    def __init__(self, limit: int = MAX_ENVIRONMENTS) -> None:
        self.activities: dict[Place, Activity] = {}
        self.unsaved: Changes = {}
        self.untold: Changes = {}
        self.generation = 0
        self._limit = limit

    def at(self, place: Place) -> Activity:
        """Return an activity that is about to change."""
        activity = self.activities.get(place)
        if activity is None:
            activity = self.activities[place] = Activity()
            self._make_room(place)
        self.changed(place)
        return activity

    def take_unsaved(self) -> Taken:
        """Return what is to be saved, and count it as saved."""
        taken, self.unsaved = Taken(self.generation, self.unsaved), {}
        return taken

    def take_untold(self) -> Taken:
        """Return what is to be told, and count it as told."""
        taken, self.untold = Taken(self.generation, self.untold), {}
        return taken

    def not_saved(self, taken: Taken, places: Iterable[Place]) -> None:
        """Some of what was taken is to be saved after all, unless the partitions have changed hands meanwhile."""
        self._put_back(self.unsaved, taken, places)

    def not_told(self, taken: Taken, places: Iterable[Place]) -> None:
        """Some of what was taken is to be told after all, unless the partitions have changed hands meanwhile."""
        self._put_back(self.untold, taken, places)

    def writings(self, taken: Taken) -> list[Writing]:
        """Return what the changelog is to hold of what was taken just now."""
        return [self._writing(place, minutes) for place, minutes in sorted(taken.changes.items())]

    def published(self) -> dict[int, int]:
        """Return the last place in each commands partition of which a result was read."""
        last: dict[int, int] = {}
        for place, activity in self.activities.items():
            last[place.partition] = max(activity.decided, last.get(place.partition, activity.decided))
        return last

    def restore(self, saved: Mapping[bytes, bytes]) -> None:
        """Begin anew with what is saved. A minute may be there before the rest of its environment is."""
        self.forget()
        for key, raw in sorted(saved.items()):  # an environment comes before its minutes
            try:
                place, minute = Place.of(key)
                if minute is None:
                    self.activities[place] = from_bytes(raw)
                else:
                    self.activities.setdefault(place, Activity()).minutes[minute] = minute_from_bytes(raw)
            except (ValueError, KeyError, TypeError, zlib.error) as error:
                log.error("what was saved of an environment cannot be read; it begins anew", error=repr(error))  # noqa: TRY400
        self.untold = {place: set(each.minutes) for place, each in self.activities.items()}

    def forget(self) -> None:
        """Know nothing: the partitions are somebody else's now."""
        self.generation += 1
        self.activities.clear()
        self.unsaved = {}
        self.untold = {}

    def of(self, partition: int) -> Iterator[tuple[Place, Activity]]:
        """Give the environments of a partition."""
        return ((place, each) for place, each in self.activities.items() if place.partition == partition)

    def changed(self, place: Place, minutes: Iterable[int] = ()) -> None:
        """Note that an activity is to be saved and told again, if it is known."""
        if place in self.activities:
            self._note(place, minutes)

    def _note(self, place: Place, minutes: Iterable[int]) -> None:
        self.unsaved.setdefault(place, set()).update(minutes)
        self.untold.setdefault(place, set()).update(minutes)

    def _put_back(self, changes: Changes, taken: Taken, places: Iterable[Place]) -> None:
        if taken.generation == self.generation:
            for place in places:
                changes.setdefault(place, set()).update(taken.changes[place])

    def _writing(self, place: Place, minutes: set[int]) -> Writing:
        activity = self.activities.get(place)
        kept = minutes & activity.minutes.keys() if activity else set()
        return Writing(
            place,
            {place.key(each): minute_to_bytes(activity.minutes[each]) for each in kept} if activity else {},
            {place.key(): to_bytes(activity) if activity else None},
            {place.key(each): None for each in minutes - kept},
        )

    def _make_room(self, newest: Place) -> None:
        there = [place for place, _ in self.of(newest.partition) if place.environment and place != newest]
        if len(there) < self._limit:
            return
        quietest = min(there, key=lambda place: (self.activities[place].newest_ms, place))
        self._note(quietest, self.activities.pop(quietest).minutes)
        log.warning("an environment is forgotten: there are too many", limit=self._limit)

"""The activities of all environments whose partitions this process holds, and which of them are not saved yet."""

import zlib
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import structlog

from services.monitor.activity import Activity, from_bytes, to_bytes

# More environments than that in a partition: the one that was quiet the longest is forgotten.
MAX_ENVIRONMENTS = 1_000
NO_ENVIRONMENT = ""

log = structlog.get_logger()


class Place(NamedTuple):
    """An environment in a partition; a misrouted record may name one that lives on another partition."""

    partition: int
    environment: str

    def key(self) -> bytes:
        """Return the key under which the changelog holds it."""
        return f"{self.partition}/{self.environment}".encode()

    @classmethod
    def of(cls, key: bytes) -> "Place":
        """Read what `key` wrote."""
        partition, _, environment = key.decode().partition("/")
        return cls(int(partition), environment)


class Ledger:
    """Activities by place; some are `unsaved` (in the changelog), some `untold` (in Postgres)."""

    def __init__(self, limit: int = MAX_ENVIRONMENTS) -> None:
        self.activities: dict[Place, Activity] = {}
        self.unsaved: set[Place] = set()
        self.untold: set[Place] = set()
        self._limit = limit

    def at(self, place: Place) -> Activity:
        """Return an activity that is about to change."""
        self.changed(place)
        activity = self.activities.get(place)
        if activity is None:
            activity = self.activities[place] = Activity()
            self._make_room(place)
        return activity

    def take_unsaved(self) -> tuple[set[Place], dict[bytes, bytes | None]]:
        """Return what is to be saved, None where there is nothing more to keep, and count it as saved."""
        places, self.unsaved = self.unsaved, set()
        saved = {place.key(): self.activities.get(place) for place in sorted(places)}
        return places, {key: None if each is None else to_bytes(each) for key, each in saved.items()}

    def chunks_untold(self, size: int) -> Iterator[set[Place]]:
        """Give the places that are to be told, a few at a time."""
        places = sorted(self.untold)
        return (set(places[start : start + size]) for start in range(0, len(places), size))

    def published(self) -> dict[int, int]:
        """Return the last place in each commands partition of which a result was read."""
        last: dict[int, int] = {}
        for place, activity in self.activities.items():
            last[place.partition] = max(activity.decided, last.get(place.partition, activity.decided))
        return last

    def restore(self, saved: Mapping[bytes, bytes]) -> None:
        """Begin anew with what is saved."""
        self.forget()
        for key, raw in saved.items():
            try:
                self.activities[Place.of(key)] = from_bytes(raw)
            except (ValueError, KeyError, TypeError, zlib.error) as error:
                log.error("what was saved of an environment cannot be read; it begins anew", error=repr(error))  # noqa: TRY400
        self.untold = set(self.activities)

    def forget(self) -> None:
        """Know nothing: the partitions are somebody else's now."""
        self.activities.clear()
        self.unsaved.clear()
        self.untold.clear()

    def of(self, partition: int) -> Iterator[tuple[Place, Activity]]:
        """Give the environments of a partition."""
        return ((place, each) for place, each in self.activities.items() if place.partition == partition)

    def changed(self, place: Place) -> None:
        """Note that an activity is to be saved and told again."""
        self.unsaved.add(place)
        self.untold.add(place)

    def _make_room(self, newest: Place) -> None:
        there = [place for place, _ in self.of(newest.partition) if place.environment and place != newest]
        if len(there) < self._limit:
            return
        quietest = min(there, key=lambda place: (self.activities[place].newest_ms, place))
        del self.activities[quietest]
        self.changed(quietest)
        log.warning("an environment is forgotten: there are too many", limit=self._limit)

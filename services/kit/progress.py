"""What stands still although there is work: what is seen now, held against what was seen before. Pure.

No clock is read here: whoever looks says how much time of its own has passed, so that a pause of the process is none.
"""

from collections.abc import Hashable, Mapping
from typing import NamedTuple


class Place(NamedTuple):
    """Where work may wait."""

    what: str
    partition: int | None = None

    def __str__(self) -> str:
        return self.what if self.partition is None else f"{self.what} in partition {self.partition}"


class Seen(NamedTuple):
    """How much waits in a place, and how far its work is: any other position than before is progress."""

    waiting: int
    position: Hashable


class HeldUp(NamedTuple):
    """A place where work waits and nothing has moved.

    `still_s` is for how long; `counted_s` is how long that has been so while the servers answered without a break.
    """

    place: Place
    seen: Seen
    still_s: float
    counted_s: float


class Progress:
    """What is known of the places of one process."""

    def __init__(self) -> None:
        self._last: dict[Place, HeldUp] = {}

    @property
    def places(self) -> list[HeldUp]:
        """Every place that was seen last; one that got on, or where nothing waits, has been still for 0 s."""
        return list(self._last.values())

    def see(self, passed_s: float, seen: Mapping[Place, Seen], *, is_outage: bool) -> None:
        """Take in what is seen `passed_s` after the last time; places that are not named any more are forgotten."""
        self._last = {
            place: self._judged(HeldUp(place, now, 0.0, 0.0), passed_s, is_outage=is_outage)
            for place, now in seen.items()
        }

    def see_nothing(self, passed_s: float) -> None:
        """Take in that nothing could be seen: what was held up still is, and an outage may be why."""
        self.see(passed_s, {place: each.seen for place, each in self._last.items()}, is_outage=True)

    def _judged(self, now: HeldUp, passed_s: float, *, is_outage: bool) -> HeldUp:
        before = self._last.get(now.place)
        if (
            before is None
            or not now.seen.waiting
            or not before.seen.waiting
            or now.seen.position != before.seen.position
        ):
            return now
        counted_s = 0.0 if is_outage else before.counted_s + passed_s
        return now._replace(still_s=before.still_s + passed_s, counted_s=counted_s)


class OwnTime:
    """Seconds that a process has lived through: of a jump, as after a pause, it lived through `most_s` at most."""

    def __init__(self, now_s: float, most_s: float) -> None:
        self._last_s, self._most_s = now_s, most_s

    def passed(self, now_s: float) -> float:
        """Return the seconds since the last call."""
        passed_s, self._last_s = now_s - self._last_s, now_s
        return min(max(0.0, passed_s), self._most_s)

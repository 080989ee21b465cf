"""What is a measurement and what is left of one: a part that is not ready goes on telling its last numbers. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pipeloom.status.numbers import Numbers
from pipeloom.status.scrape import Scrape

MONITOR = "monitor"

Reading = Callable[[Numbers], float | None]


@dataclass(frozen=True)
class Measured:
    """A number as it is; None where nobody knows it now, with what it `was` when that was last told.

    `by` is the process that stands in for the part that should have told.
    """

    now: float | None
    was: float | None = None
    by: str | None = None


class Measurements:
    """The numbers of one round, each with whether it still holds."""

    def __init__(self, scrapes: Sequence[Scrape]) -> None:
        self._all = Numbers(scrapes)
        self._fresh = Numbers([scrape for scrape in scrapes if scrape.is_ready])
        self._stale = Numbers([scrape for scrape in scrapes if not scrape.is_ready])

    def total(self, name: str) -> Measured:
        """Return a sum over all processes; not known when one of them is not ready, for its share is old."""
        return self._measured(lambda numbers: numbers.total(name))

    def highest(self, name: str) -> Measured:
        """Return the largest value, likewise."""
        return self._measured(lambda numbers: numbers.highest(name))

    def lag(self, name: str, part: str) -> Measured:
        """Return how far behind a part is, as it tells itself, else as the monitor has measured it."""
        own = self.total(name)
        if own.now is not None:
            return own
        measured = self._fresh.behind(part)
        return own if measured is None else Measured(measured, own.was, MONITOR)

    def _measured(self, read: Reading) -> Measured:
        if read(self._stale) is not None:
            return Measured(None, read(self._all))
        return Measured(read(self._fresh))

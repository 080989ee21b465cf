"""What several rounds say together: the median, and how far they lie apart."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of some rounds, with the lowest and the highest."""

    median: float
    low: float
    high: float

    def told(self, unit: str = "") -> str:
        """Return it as text, for example `3.12 (2.9-3.4)`; a single round has no range."""
        if self.low == self.high:
            return f"{short(self.median)}{unit}"
        return f"{short(self.median)}{unit} ({short(self.low)}-{short(self.high)})"


def spread(values: Sequence[float]) -> Spread:
    """Return the spread of at least one value."""
    return Spread(statistics.median(values), min(values), max(values))


def ratios(ours: Sequence[float], base: Sequence[float]) -> Spread:
    """Return the spread of the ratios round by round: a round's two sides met the same machine."""
    return spread([one / other for one, other in zip(ours, base, strict=True)])


def percentile(values: Sequence[float], share: float) -> float:
    """Return the nearest-rank percentile of at least one value, `share` from 0 to 1."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * share) - 1)]


def short(value: float) -> str:
    """Return a number with three digits that count."""
    size = abs(value)
    return f"{value:,.0f}" if size >= 100 else f"{value:.1f}" if size >= 10 else f"{value:.2f}"

"""Sums, rates and quantiles of what the processes count, over all of them. Pure."""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence

from prometheus_client.samples import Sample

from pipeloom.status.scrape import Scrape


class Numbers:
    """The samples of one round."""

    def __init__(self, scrapes: Sequence[Scrape]) -> None:
        self._samples = [sample for scrape in scrapes for sample in scrape.samples]

    def total(self, name: str) -> float | None:
        """Return the sum over all labels and processes, or None when nobody tells of it."""
        values = [sample.value for sample in self._named(name)]
        return sum(values) if values else None

    def highest(self, name: str) -> float | None:
        """Return the largest value, or None when nobody tells of it."""
        return max((sample.value for sample in self._named(name)), default=None)

    def by(self, name: str, label: str) -> dict[str, float]:
        """Return the sums by the values of a label."""
        sums: defaultdict[str, float] = defaultdict(float)
        for sample in self._named(name):
            sums[sample.labels.get(label, "")] += sample.value
        return dict(sums)

    def buckets(self, histogram: str) -> dict[float, float]:
        """Return the cumulative counts of a histogram by their upper bounds."""
        return {float(bound): count for bound, count in self.by(f"{histogram}_bucket", "le").items()}

    def behind(self, part: str) -> float | None:
        """Return how far behind a part is by the monitors, of which two may have measured the same partition."""
        by_partition: dict[str, float] = {}
        for sample in self._named("pipeloom_part_behind_records"):
            if sample.labels.get("part") == part:
                partition = sample.labels.get("partition", "")
                by_partition[partition] = max(sample.value, by_partition.get(partition, 0.0))
        return sum(by_partition.values()) if by_partition else None

    def _named(self, name: str) -> Iterable[Sample]:
        return (sample for sample in self._samples if sample.name == name)


def rate(before: float | None, now: float | None, seconds: float) -> float | None:
    """Return how fast a counter grew; one that is lower than before began anew."""
    if now is None or seconds <= 0:
        return None
    grown = now - (before or 0.0)
    return (now if grown < 0 else grown) / seconds


def grown(before: dict[float, float], now: dict[float, float]) -> dict[float, float]:
    """Return the buckets of what was observed in between; all of it when a process began anew."""
    between = {bound: count - before.get(bound, 0.0) for bound, count in now.items()}
    return now if any(count < 0 for count in between.values()) else between


def quantile(buckets: dict[float, float], share: float) -> float | None:
    """Return the value below which `share` of the observations are, as Prometheus reckons; None when there are none.

    Beyond the last bound that one is all that is known.
    """
    wanted = buckets.get(math.inf, 0.0) * share
    if not wanted:
        return None
    lower, below = 0.0, 0.0
    for bound in sorted(buckets):
        count = buckets[bound]
        if count >= wanted:
            return lower if math.isinf(bound) else lower + (bound - lower) * (wanted - below) / (count - below)
        lower, below = bound, count
    return lower

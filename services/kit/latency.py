"""Latencies in buckets of a logarithmic scale: bounded, mergeable, and the same in whatever order they are counted."""

import math
import operator
from collections.abc import Mapping, Sequence

# Eight buckets for each doubling: what is told is never below the truth, and at most 9.1 % above it.
PER_DOUBLING = 8
LONGEST_MS = 24 * 60 * 60 * 1000

# Which shares of all latencies are told: the median, and how bad it gets.
SHARES = (0.5, 0.95, 0.99)

Histogram = dict[int, int]
"""How many latencies are in which bucket."""


def bucket_of(milliseconds: float) -> int:
    """Return the bucket of a latency: 0 up to one millisecond, the last one from a day on."""
    bounded = min(max(milliseconds, 1.0), LONGEST_MS)
    return math.ceil(PER_DOUBLING * math.log2(bounded))


BUCKETS = bucket_of(LONGEST_MS) + 1


def upper_ms(bucket: int) -> float:
    """Return the longest latency that a bucket holds, in milliseconds."""
    return round(2 ** (bucket / PER_DOUBLING), 1)


def packed(histogram: Mapping[int, int]) -> list[int]:
    """Return a histogram as a row of numbers: its first bucket, then how many are in it and in those that follow."""
    if not histogram:
        return []
    first = min(histogram)
    return [first, *(histogram.get(bucket, 0) for bucket in range(first, max(histogram) + 1))]


def unpacked(row: Sequence[int]) -> Histogram:
    """Read what `packed` wrote."""
    return {bucket: number for bucket, number in enumerate(row[1:], row[0]) if number} if row else {}


class Sum:
    """Adds up packed histograms, and keeps none of them."""

    def __init__(self) -> None:
        self._total = [0] * BUCKETS

    def add(self, row: Sequence[int]) -> None:
        """Add one."""
        if row:
            first, end = row[0], row[0] + len(row) - 1
            self._total[first:end] = map(operator.add, self._total[first:end], row[1:])

    def histogram(self) -> Histogram:
        """Return all of them together."""
        return unpacked([0, *self._total])


def percentile_ms(histogram: Mapping[int, int], share: float) -> float | None:
    """Return the latency that a `share` of all did not exceed, None when there are none."""
    rank = math.ceil(share * sum(histogram.values()))
    counted = 0
    for bucket in sorted(histogram):
        counted += histogram[bucket]
        if counted >= max(rank, 1):
            return upper_ms(bucket)
    return None

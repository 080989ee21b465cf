"""Latencies in buckets of a logarithmic scale: bounded, mergeable, and the same in whatever order they are counted."""

import math
from collections.abc import Iterable, Mapping

# Eight buckets for each doubling: what is told is never below the truth, and at most 9.1 % above it.
PER_DOUBLING = 8
LONGEST_MS = 24 * 60 * 60 * 1000

Histogram = dict[int, int]
"""How many latencies are in which bucket."""


def bucket_of(milliseconds: float) -> int:
    """Return the bucket of a latency: 0 up to one millisecond, the last one from a day on."""
    bounded = min(max(milliseconds, 1.0), LONGEST_MS)
    return math.ceil(PER_DOUBLING * math.log2(bounded))


def upper_ms(bucket: int) -> float:
    """Return the longest latency that a bucket holds, in milliseconds."""
    return round(2 ** (bucket / PER_DOUBLING), 1)


def merged(histograms: Iterable[Mapping[int, int]]) -> Histogram:
    """Return the sum of histograms."""
    total: Histogram = {}
    for histogram in histograms:
        for bucket, number in histogram.items():
            total[bucket] = total.get(bucket, 0) + number
    return total


def percentile_ms(histogram: Mapping[int, int], share: float) -> float | None:
    """Return the latency that a `share` of all did not exceed, None when there are none."""
    rank = math.ceil(share * sum(histogram.values()))
    counted = 0
    for bucket in sorted(histogram):
        counted += histogram[bucket]
        if counted >= max(rank, 1):
            return upper_ms(bucket)
    return None

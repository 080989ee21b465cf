"""Latencies in buckets: never below the truth, and not far above it."""

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kit.latency import (
    BUCKETS,
    LONGEST_MS,
    Histogram,
    Sum,
    bucket_of,
    packed,
    percentile_ms,
    unpacked,
    upper_ms,
)


def summed(rows: list[list[int]]) -> Histogram:
    total = Sum()
    for row in rows:
        total.add(row)
    return total.histogram()


@given(st.floats(1, LONGEST_MS))
def test_what_is_told_is_not_below_the_truth_and_at_most_a_tenth_above(milliseconds: float) -> None:
    told = upper_ms(bucket_of(milliseconds))
    assert milliseconds - 0.06 <= told <= milliseconds * 1.091 + 0.06


@pytest.mark.parametrize(("milliseconds", "bucket"), [(-5, 0), (0, 0), (1, 0), (2, 8), (1e12, bucket_of(LONGEST_MS))])
def test_the_scale_has_two_ends(milliseconds: float, bucket: int) -> None:
    assert bucket_of(milliseconds) == bucket


@given(st.lists(st.integers(1, 100_000), min_size=1), st.sampled_from([0.5, 0.95, 0.99]))
def test_a_percentile_is_the_bucket_of_the_latency_at_that_rank(latencies: list[int], share: float) -> None:
    histogram = summed([packed({bucket_of(each): 1}) for each in latencies])
    exact = sorted(latencies)[math.ceil(share * len(latencies)) - 1]
    assert percentile_ms(histogram, share) == upper_ms(bucket_of(exact))


@given(st.lists(st.dictionaries(st.integers(0, BUCKETS - 1), st.integers(1, 10**9))))
def test_packed_histograms_add_up_to_what_the_histograms_do(histograms: list[dict[int, int]]) -> None:
    rows = [packed(each) for each in histograms]
    assert [unpacked(row) for row in rows] == histograms
    assert summed(rows) == sum((Counter(each) for each in histograms), Counter[int]())


def test_there_is_no_percentile_of_nothing() -> None:
    assert percentile_ms({}, 0.5) is None

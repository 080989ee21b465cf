"""Rates and quantiles of what processes count."""

import math
from typing import Any

import pytest
from prometheus_client.samples import Sample

from pipeloom.status.numbers import Numbers, grown, quantile, rate
from pipeloom.status.scrape import Scrape

BUCKETS = {0.1: 50.0, 1.0: 90.0, math.inf: 100.0}


def test_numbers_are_those_of_all_processes_together() -> None:
    samples = (Sample("c_total", {"code": "a"}, 2), Sample("c_total", {"code": "b"}, 3), Sample("g", {}, 7))
    numbers = Numbers([Scrape("one", "", 0, samples=samples), Scrape("two", "", 0, samples=samples[1:])])
    assert numbers.total("c_total") == 8
    assert numbers.by("c_total", "code") == {"a": 2, "b": 6}
    assert numbers.highest("g") == 7
    assert (numbers.total("absent"), numbers.highest("absent")) == (None, None)


@pytest.mark.parametrize(
    ("before", "now", "seconds", "expected"),
    [(10.0, 30.0, 2.0, 10.0), (30.0, 4.0, 2.0, 2.0), (None, 4.0, 2.0, 2.0), (1.0, None, 2.0, None), (1, 2, 0, None)],
)
def test_a_rate_survives_a_counter_that_begins_anew(before: Any, now: Any, seconds: float, expected: Any) -> None:
    assert rate(before, now, seconds) == expected


@pytest.mark.parametrize(("share", "expected"), [(0.25, 0.05), (0.5, 0.1), (0.7, 0.55), (0.99, 1.0)])
def test_a_quantile_is_reckoned_within_its_bucket(share: float, expected: float) -> None:
    assert quantile(BUCKETS, share) == pytest.approx(expected)


def test_nothing_that_was_observed_has_no_quantile() -> None:
    assert quantile({}, 0.5) is None
    assert quantile({0.1: 0.0, math.inf: 0.0}, 0.5) is None


def test_what_was_observed_in_between_is_told_unless_a_process_began_anew() -> None:
    assert grown({0.1: 40.0, math.inf: 40.0}, {0.1: 50.0, math.inf: 60.0}) == {0.1: 10.0, math.inf: 20.0}
    assert grown({0.1: 70.0}, {0.1: 50.0}) == {0.1: 50.0}

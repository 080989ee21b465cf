"""The raw limit of the composer's benchmark."""

import pytest

from benchmarks.composer import Round


def test_reading_and_inserting_one_after_the_other_is_slower_than_either() -> None:
    # Given
    found = Round(projected=1.0, published=1.0, getmany=300_000.0, inserts=30_000.0, cpu_ms={})
    # When / Then
    assert found.both == pytest.approx(27_272.7, rel=1e-4)

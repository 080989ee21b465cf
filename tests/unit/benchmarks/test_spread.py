"""What several rounds say together."""

import pytest

from benchmarks.spread import percentile, ratios, short, spread


def test_a_spread_has_the_median_and_the_range() -> None:
    # Given
    rounds = [3.0, 1.0, 2.0, 10.0]
    # When
    told = spread(rounds)
    # Then
    assert (told.median, told.low, told.high) == (2.5, 1.0, 10.0)


def test_a_single_round_has_no_range() -> None:
    assert spread([3.14159]).told("×") == "3.14×"


def test_several_rounds_are_told_with_their_range() -> None:
    assert spread([1234.5, 12.34, 1.234]).told() == "12.3 (1.23-1,234)"


def test_a_ratio_compares_the_two_sides_of_the_same_round() -> None:
    # Given rounds in which the whole machine became slower
    ours, base = [300.0, 30.0, 3.0], [100.0, 10.0, 1.0]
    # When
    told = ratios(ours, base)
    # Then
    assert (told.median, told.low, told.high) == (3.0, 3.0, 3.0)


def test_sides_with_different_numbers_of_rounds_are_not_compared() -> None:
    with pytest.raises(ValueError, match="zip"):
        ratios([1.0, 2.0], [1.0])


@pytest.mark.parametrize(("share", "wanted"), [(0.0, 1), (0.5, 50), (0.99, 99), (1.0, 100)])
def test_a_percentile_is_a_value_that_was_seen(share: float, wanted: int) -> None:
    # Given
    values = list(range(100, 0, -1))
    # When / Then
    assert percentile(values, share) == wanted


def test_the_percentiles_of_one_value_are_that_value() -> None:
    assert [percentile([7.0], share) for share in (0.0, 0.5, 0.99, 1.0)] == [7.0] * 4


def test_numbers_have_three_digits_that_count() -> None:
    assert [short(each) for each in (0.1234, 1.234, 12.34, 123.4, 1234.5)] == ["0.12", "1.23", "12.3", "123", "1,234"]

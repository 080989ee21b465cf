"""Failed deliveries are tried again later and later, and not for ever."""

import pytest

from services.kit.settings import WebhooksSettings
from services.webhooks.schedule import JITTER, MAX_RETRY_AFTER_S, retry_delay

DELAYS = WebhooksSettings().retry_delays_s
HOUR = 3600.0


def test_the_delays_grow_from_seconds_to_a_day_and_end_after_about_three_days() -> None:
    assert [delay / HOUR for delay in DELAYS] == [5 / HOUR, 1 / 12, 0.5, 2, 5, 10, 14, 20, 24]
    assert 3 < sum(DELAYS) / HOUR / 24 < 4


@pytest.mark.parametrize("attempts", range(1, len(DELAYS) + 1))
def test_each_delay_is_as_long_as_is_said_and_a_little_longer_by_chance(attempts: int) -> None:
    drawn = [retry_delay(DELAYS, attempts) or 0 for _ in range(50)]
    assert all(DELAYS[attempts - 1] <= delay <= DELAYS[attempts - 1] * (1 + JITTER) for delay in drawn)
    assert len(set(drawn)) > 1


def test_after_the_last_delay_there_is_no_attempt_more() -> None:
    assert retry_delay(DELAYS, len(DELAYS) + 1) is None
    assert retry_delay([], 1) is None


@pytest.mark.parametrize(
    ("asked_s", "least_s"),
    [(60.0, 60.0), (1.0, 5.0), (10 * MAX_RETRY_AFTER_S, MAX_RETRY_AFTER_S)],
    ids=["longer", "shorter", "too long"],
)
def test_a_receiver_may_ask_for_a_longer_delay_within_a_day(asked_s: float, least_s: float) -> None:
    delay = retry_delay([5.0], 1, asked_s)
    assert delay is not None
    assert least_s <= delay <= least_s * (1 + JITTER)

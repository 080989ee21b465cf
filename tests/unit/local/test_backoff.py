from pipeloom.local.backoff import HEALTHY_AFTER, Backoff


def test_early_deaths_double_the_pause_up_to_ten_seconds() -> None:
    backoff = Backoff()

    pauses = [backoff.after_life_of(1.0) for _ in range(8)]

    assert pauses == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0]


def test_a_healthy_life_starts_the_pauses_over() -> None:
    backoff = Backoff()
    for _ in range(5):
        backoff.after_life_of(0.0)

    assert backoff.after_life_of(HEALTHY_AFTER) == 0.2

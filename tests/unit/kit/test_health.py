"""What the parts of a process say of themselves."""

from services.kit.health import Health


def test_a_process_is_ready_when_every_part_is_well() -> None:
    health = Health()
    health.expect("kafka", "postgres")
    assert not health.is_ready
    health.well("kafka")
    assert not health.is_ready
    health.well("postgres")
    assert health.is_ready


def test_a_process_that_has_announced_nothing_is_not_ready() -> None:
    assert not Health().is_ready


def test_a_part_that_falls_ill_and_recovers_takes_readiness_along() -> None:
    health = Health()
    health.well("kafka")
    health.ill("kafka", "it is away")
    assert (health.is_ready, health.is_well("kafka")) == (False, False)
    health.well("kafka")
    assert (health.is_ready, health.is_well("kafka")) == (True, True)


def test_a_part_that_nobody_spoke_of_is_not_well() -> None:
    assert not Health().is_well("kafka")


def test_a_part_that_was_given_up_no_longer_counts() -> None:
    health = Health()
    health.well("kafka")
    health.ill("partition 3", "it is stopped")
    health.forget("partition 3")
    health.forget("partition 4")
    assert health.is_ready

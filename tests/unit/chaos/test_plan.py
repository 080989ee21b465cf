"""The faults of a run of chaos are its seed's."""

from tests.chaos.harness.plan import DOORS, LINKS, PARTS, planned

ENOUGH_S = 2000


def test_one_seed_plans_the_same_faults_at_the_same_times() -> None:
    assert planned(7, 120) == planned(7, 120)


def test_another_seed_plans_others() -> None:
    assert planned(7, 120) != planned(8, 120)


def test_a_longer_run_begins_as_a_shorter_one() -> None:
    short = planned(7, 60)

    assert planned(7, 600)[: len(short)] == short


def test_every_process_server_and_connection_is_broken_in_the_long_run() -> None:
    targets = {each.fault.target for each in planned(7, ENOUGH_S)}

    assert {*PARTS, *LINKS, *DOORS, "kafka", "postgres"} <= targets


def test_ten_minutes_hold_more_than_sixty_kills() -> None:
    kills = [each for each in planned(7, 600) if each.fault.what in {"kill", "terminate"}]

    assert len(kills) > 60

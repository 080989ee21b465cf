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


def test_two_minutes_hold_full_disks_conflicts_and_a_gateway_killed_with_what_it_could_not_send() -> None:
    for seed in range(50):
        dealt = {(each.fault.what, each.fault.target) for each in planned(seed, 120)}

        assert {("fill", "kafka"), ("fill", "postgres"), ("conflict", "saves")} <= dealt
        assert "hang and kill" in {what for what, _ in dealt}

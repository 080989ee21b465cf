"""What the phases of a run say together."""

from benchmarks.phases import BASE, OURS, Found, Phase, rotated


def phase(peer: str, number: int, rate: float, **cpu_ms: float) -> Phase:
    return Phase(peer, "create", 32, number, 100, rate, 1000 / rate, 5.0, cpu_ms, 0.1)


def test_the_speedup_is_taken_round_by_round_whatever_the_order_of_the_phases() -> None:
    # Given
    phases = [phase(OURS, 1, 20), phase(BASE, 0, 50), phase(OURS, 0, 200), phase(BASE, 1, 10)]
    # When
    speedup = Found(phases).speedup("create", 32)
    # Then
    assert (speedup.median, speedup.low, speedup.high) == (3.0, 2.0, 4.0)


def test_the_cpu_of_a_request_is_that_of_all_parts() -> None:
    # Given
    found = Found([phase(OURS, 0, 10, gateway=0.5, kafka=0.25, relay=0.25), phase(BASE, 0, 10, crud=1.5, postgres=0.5)])
    # When / Then
    assert found.cost("create", 32).median == 0.5
    assert found.cpu_parts(OURS, "create", 32) == {"gateway": 0.5, "kafka": 0.25, "relay": 0.25}


def test_other_measures_are_left_out() -> None:
    # Given
    found = Found([phase(OURS, 0, 10)])
    # When / Then
    assert found.of(OURS, "create", 1) == []
    assert found.of(BASE, "create", 32) == []


def test_each_round_begins_with_another_peer() -> None:
    # Given
    peers = ["a", "b", "c"]
    # When
    orders = [rotated(peers, number) for number in range(4)]
    # Then
    assert orders == [["a", "b", "c"], ["b", "c", "a"], ["c", "a", "b"], ["a", "b", "c"]]

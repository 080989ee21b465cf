"""The benchmark over HTTP against a whole stack of its own, as short as can be: it works, whatever the figures."""

from benchmarks.over_http import OPERATIONS, measure
from benchmarks.phases import BASE, OURS
from benchmarks.show_http import RECORD, STATEMENT, show_found


def test_a_short_run_over_http_measures_every_peer_and_leaves_no_pipeline_over() -> None:
    # When
    found, idle = measure(rounds=1, seconds=0.2, stored=100, connections=(2,))
    # Then
    measured = {(phase.peer, phase.operation) for phase in found.phases}
    assert measured == {(peer, each) for peer in (OURS, BASE, STATEMENT) for each in OPERATIONS} | {(RECORD, "create")}
    assert all(phase.rate > 0 for phase in found.phases)
    assert {"gateway", "composer", "relay", "postgres", "kafka"} <= set(idle)
    show_found(found, OPERATIONS, (2,))

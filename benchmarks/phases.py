"""The figures of the phases of a run, and what they say together."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.spread import Spread, ratios, spread

OURS = "pipeloom"
BASE = "crud"


@dataclass(frozen=True, slots=True)
class Phase:
    """One operation, asked of one peer on some connections in one round."""

    peer: str
    operation: str
    connections: int
    round: int
    requests: int
    rate: float
    p50_ms: float
    p99_ms: float
    cpu_ms: Mapping[str, float]
    """Part → CPU milliseconds a request, of the peer's own processes and of those that work for it."""
    client_share: float
    """How much of one core the load generator took."""

    @property
    def cpu_in_all(self) -> float:
        """CPU milliseconds a request over all processes."""
        return sum(self.cpu_ms.values())


class Found:
    """All phases of a run."""

    def __init__(self, phases: Iterable[Phase] = ()) -> None:
        self.phases = list(phases)

    def of(self, peer: str, operation: str, connections: int) -> list[Phase]:
        """Return the rounds of one measure, in their order."""
        wanted = (peer, operation, connections)
        found = [each for each in self.phases if (each.peer, each.operation, each.connections) == wanted]
        return sorted(found, key=lambda each: each.round)

    def rates(self, peer: str, operation: str, connections: int) -> Spread:
        """Return the requests a second."""
        return spread([each.rate for each in self.of(peer, operation, connections)])

    def p50s(self, peer: str, operation: str, connections: int) -> Spread:
        """Return the median latencies in milliseconds."""
        return spread([each.p50_ms for each in self.of(peer, operation, connections)])

    def cpus(self, peer: str, operation: str, connections: int) -> Spread:
        """Return the CPU milliseconds a request."""
        return spread([each.cpu_in_all for each in self.of(peer, operation, connections)])

    def speedup(self, operation: str, connections: int, other: str = BASE) -> Spread:
        """Return our rate as a multiple of another's."""
        return ratios(
            [each.rate for each in self.of(OURS, operation, connections)],
            [each.rate for each in self.of(other, operation, connections)],
        )

    def slowness(self, operation: str, connections: int) -> Spread:
        """Return our p50 as a multiple of the base's."""
        return ratios(
            [each.p50_ms for each in self.of(OURS, operation, connections)],
            [each.p50_ms for each in self.of(BASE, operation, connections)],
        )

    def cost(self, operation: str, connections: int) -> Spread:
        """Return our CPU a request as a multiple of the base's."""
        return ratios(
            [each.cpu_in_all for each in self.of(OURS, operation, connections)],
            [each.cpu_in_all for each in self.of(BASE, operation, connections)],
        )

    def cpu_parts(self, peer: str, operation: str, connections: int) -> dict[str, float]:
        """Return part → median CPU milliseconds a request."""
        rounds = self.of(peer, operation, connections)
        parts = sorted({part for each in rounds for part in each.cpu_ms})
        return {part: spread([each.cpu_ms.get(part, 0.0) for each in rounds]).median for part in parts}


def rotated(peers: Sequence[str], by: int) -> list[str]:
    """Return the peers in another order for each round, so that none always comes first."""
    start = by % len(peers)
    return [*peers[start:], *peers[:start]]

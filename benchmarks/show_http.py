"""The tables of the benchmark over HTTP."""

from collections.abc import Sequence

from benchmarks.phases import BASE, OURS, Found
from benchmarks.report import show, versus
from benchmarks.spread import short

WHAT = "operation, connections"
STATEMENT = "floor: one statement"
RECORD = "floor: one Kafka record"

# (operation, connections) → the least speedup
SPEEDUPS = {
    ("create", 32): 3.0,
    ("get", 32): 5.0,
    ("get", 1): 1.6,
    ("list", 32): 10.0,
    ("list", 1): 5.0,
    ("delete", 32): 2.5,
}
SLOWEST_CREATE = 1.3
DEAREST_CREATE = 0.4


def show_found(found: Found, operations: Sequence[str], connections: Sequence[int]) -> None:
    """Print what a run found: rates, latencies, CPU."""
    measures = [(operation, each) for operation in operations for each in connections]
    head = ["pipeloom /s", "crud /s", "pipeloom : crud", "target", STATEMENT, RECORD]
    show("Requests a second: median (range) of the rounds", [WHAT, *head], [_rates(found, *each) for each in measures])
    head = ["pipeloom p50 ms", "p99 ms", "crud p50 ms", "p99 ms", "pipeloom : crud, p50", "target"]
    show("Latency", [WHAT, *head], [_latencies(found, *each) for each in measures])
    head = ["pipeloom ms", "crud ms", "pipeloom : crud", "target", "where ours goes", "client"]
    show("CPU a request, all processes", [WHAT, *head], [_cpu(found, *each) for each in measures])


def _rates(found: Found, operation: str, connections: int) -> list[str]:
    speedup = found.speedup(operation, connections)
    target = SPEEDUPS.get((operation, connections))
    floors = [
        found.rates(floor, operation, connections).told() if found.of(floor, operation, connections) else "-"
        for floor in (STATEMENT, RECORD)
    ]
    return [
        f"{operation}, {connections}",
        found.rates(OURS, operation, connections).told(),
        found.rates(BASE, operation, connections).told(),
        speedup.told("×"),
        versus(speedup.median, target) if target else "",
        *floors,
    ]


def _latencies(found: Found, operation: str, connections: int) -> list[str]:
    ours, base = (found.of(peer, operation, connections) for peer in (OURS, BASE))
    slowness = found.slowness(operation, connections)
    has_target = (operation, connections) == ("create", 1)
    return [
        f"{operation}, {connections}",
        found.p50s(OURS, operation, connections).told(),
        short(max(each.p99_ms for each in ours)),
        found.p50s(BASE, operation, connections).told(),
        short(max(each.p99_ms for each in base)),
        slowness.told("×"),
        versus(slowness.median, SLOWEST_CREATE, at_least=False) if has_target else "",
    ]


def _cpu(found: Found, operation: str, connections: int) -> list[str]:
    cost = found.cost(operation, connections)
    parts = found.cpu_parts(OURS, operation, connections)
    largest = sorted(parts.items(), key=lambda each: -each[1])
    client = [each.client_share for each in found.of(OURS, operation, connections)]
    has_target = (operation, connections) == ("create", 32)
    return [
        f"{operation}, {connections}",
        found.cpus(OURS, operation, connections).told(),
        found.cpus(BASE, operation, connections).told(),
        cost.told("×"),
        versus(cost.median, DEAREST_CREATE, at_least=False) if has_target else "",
        ", ".join(f"{part} {short(ms)}" for part, ms in largest if ms >= 0.005),
        f"{max(client):.0%}",
    ]

"""Memory of each process: when the product has just become idle, and after load.

PSS (proportional set size, /proc/PID/smaps_rollup): pages that processes share count once in all. "Ours" is everything
that `pipeloom up` starts but Kafka and Postgres, which an installation may have already.

    python -m benchmarks footprint               about 40 seconds
    python -m benchmarks footprint --seconds 60  longer under load: does it grow?
"""

import time
from collections.abc import Mapping
from contextlib import ExitStack

from benchmarks.load import load_generator
from benchmarks.peers import product_peer
from benchmarks.processes import pss_mib_below, settle
from benchmarks.product import scratch, started
from benchmarks.report import options, said, show, versus, write
from benchmarks.spread import short, spread

SERVERS = ("kafka", "postgres")
MOST_IDLE_MIB = 200
CONNECTIONS = 32
LOOKS = 3
LOOK_EVERY_S = 1.0


def ours(memory: Mapping[str, float]) -> float:
    """Return the MiB of our own processes together."""
    return sum(mib for part, mib in memory.items() if part not in SERVERS)


def looked_at(pid: int, looks: int) -> dict[str, float]:
    """Return part → median MiB of some looks."""
    seen = []
    for _ in range(looks):
        time.sleep(LOOK_EVERY_S)
        seen.append(pss_mib_below(pid))
    return {part: spread([each.get(part, 0.0) for each in seen]).median for part in seen[0]}


def measure(looks: int, seconds: float) -> dict[str, dict[str, float]]:
    """Return the memory idle, under creates and lists, and idle again."""
    with ExitStack() as stack:
        folder = stack.enter_context(scratch())
        said("starting the product")
        product = stack.enter_context(started(folder / "data"))
        load = stack.enter_context(load_generator(folder))
        settle(product.process.pid)
        memory = {"idle": looked_at(product.process.pid, looks)}
        product.make_step()
        peer = product_peer(product)
        said(f"{CONNECTIONS} connections create and list for {2 * seconds:g} s")
        load.run(peer.port, peer.asks["create"], CONNECTIONS, seconds, prefix="n")
        load.run(peer.port, peer.asks["list"], CONNECTIONS, seconds, prefix="n")
        memory["after load"] = looked_at(product.process.pid, looks)
        return memory


def main() -> None:
    """Measure, show and write."""
    given = options(__doc__ or "", "footprint", rounds=LOOKS, seconds=8.0).parse_args()
    memory = measure(given.rounds, given.seconds)
    parts = sorted(memory["idle"], key=lambda part: (part in SERVERS, -memory["idle"][part]))
    rows = [[part, *(short(each.get(part, 0.0)) for each in memory.values()), ""] for part in parts]
    together = [ours(each) for each in memory.values()]
    target = versus(together[0], MOST_IDLE_MIB, at_least=False)
    rows.append(["ours together", *map(short, together), target])
    show("Memory, PSS in MiB", ["process", *memory, "target (idle)"], rows)
    write(given.out, "footprint", {"mib": memory, "ours_mib": dict(zip(memory, together, strict=True))})


if __name__ == "__main__":
    main()

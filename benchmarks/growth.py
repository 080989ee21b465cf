"""What each operation costs as an installation grows: `python -m benchmarks.growth --sizes 1000 100000`.

The sizes are asked in turns, so that what else the machine does falls on all of them alike; a ratio is one round's cost
at a size by the same round's cost at the first size. With --recovery, `verify` and `rebuild` are measured on each size.
"""

import argparse
import asyncio
import json
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from benchmarks.growth_installation import Installation, open_servers, prepare, running
from benchmarks.growth_operations import OPERATIONS, Client
from benchmarks.growth_recovery import RUNS, Measured, measure
from benchmarks.seeding import Shape

DEFAULT_SIZES = (1_000, 20_000)
TARGET = 1.3
Costs = dict[str, dict[str, list[float]]]


def main() -> None:
    """Seed, measure, print the table and write the JSON."""
    given = _arguments()
    console = Console(stderr=True)
    folder = Path(tempfile.mkdtemp(prefix="pipeloom-growth-", dir=given.work_dir))
    folder.chmod(0o755)
    try:
        with Progress(console=console, disable=not console.is_terminal) as progress:
            result = asyncio.run(_measured(given, folder, progress))
    finally:
        if not given.keep:
            shutil.rmtree(folder, ignore_errors=True)
    given.output.parent.mkdir(parents=True, exist_ok=True)
    given.output.write_text(json.dumps(result, indent=2) + "\n")
    _show(result)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=DEFAULT_SIZES, help="pipelines in one environment")
    parser.add_argument("--environments", type=int, default=0, help="the last size once more, in so many environments")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--each", type=int, default=20, help="how often each operation is asked in a round")
    parser.add_argument("--recovery", action="store_true", help="measure verify and rebuild too")
    parser.add_argument("--work-dir", type=Path, help="where data lie meanwhile; a million pipelines take 4 GB")
    parser.add_argument("--keep", action="store_true", help="leave the data there")
    parser.add_argument("--output", type=Path, default=Path("build/benchmarks/growth.json"))
    return parser.parse_args()


async def _measured(given: argparse.Namespace, folder: Path, progress: Progress) -> dict[str, Any]:
    shapes = [Shape(size) for size in given.sizes]
    if given.environments:
        shapes.append(Shape(given.sizes[-1], given.environments))
    async with open_servers(folder) as servers:
        installations = [await _prepared(servers, folder, shape, progress) for shape in shapes]
        async with AsyncExitStack() as stack:
            for installation in installations:
                await stack.enter_async_context(running(installation, folder))
            costs = await asyncio.to_thread(_in_turns, installations, given, progress)
        recovered = [
            (installation.name, await asyncio.to_thread(measure, installation, servers.postgres.pid, what))
            for installation in installations
            for what in (RUNS if given.recovery else ())
        ]
    return {
        "sizes": [installation.name for installation in installations],
        "operations": {name: _summary(costs[name], installations) for name in OPERATIONS},
        "recovery": [{"size": name, **each._asdict()} for name, each in recovered],
    }


async def _prepared(servers: Any, folder: Path, shape: Shape, progress: Progress) -> Installation:
    task = progress.add_task(f"seeding {shape.pipelines:,}", total=shape.pipelines)
    return await prepare(servers, folder, shape, lambda pipelines: progress.advance(task, pipelines))


def _in_turns(installations: Sequence[Installation], given: argparse.Namespace, progress: Progress) -> Costs:
    """Return the median cost of each operation at each size, by round; the first round, which warms up, is dropped."""
    clients = {each.name: Client(each, number) for number, each in enumerate(installations)}
    costs: Costs = {operation: {name: [] for name in clients} for operation in OPERATIONS}
    task = progress.add_task("asking", total=(given.rounds + 1) * len(OPERATIONS))
    for _ in range(given.rounds + 1):
        for operation, ask in OPERATIONS.items():
            for name, times in _asked(clients, ask, given.each).items():
                costs[operation][name].append(statistics.median(times))
            progress.advance(task)
            print(".", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    for client in clients.values():
        client.close()
    return {operation: {name: found[1:] for name, found in sizes.items()} for operation, sizes in costs.items()}


def _asked(clients: dict[str, Client], ask: Callable[[Client], float], times: int) -> dict[str, list[float]]:
    """Ask each size once, then each once more, and so on."""
    found: dict[str, list[float]] = {name: [] for name in clients}
    for _ in range(times):
        for name, client in clients.items():
            found[name].append(ask(client))
    return found


def _summary(rounds: dict[str, list[float]], installations: Sequence[Installation]) -> dict[str, Any]:
    first = rounds[installations[0].name]
    return {
        name: {
            "median_ms": statistics.median(found),
            "range_ms": [min(found), max(found)],
            "ratio": statistics.median(ratios := [here / base for here, base in zip(found, first, strict=True)]),
            "ratio_range": [min(ratios), max(ratios)],
        }
        for name, found in rounds.items()
    }


def _show(result: dict[str, Any]) -> None:
    console = Console()
    table = Table(title=f"Cost of an operation by the number of pipelines (target: {TARGET}× the first)")
    for heading in ("operation", *result["sizes"]):
        table.add_column(heading, justify="left" if heading == "operation" else "right")
    for operation, sizes in result["operations"].items():
        cells = [
            f"{each['median_ms']:.2f} ms  {each['ratio']:.2f}× ({each['ratio_range'][0]:.2f}–{each['ratio_range'][1]:.2f})"
            for each in sizes.values()
        ]
        table.add_row(operation, *cells)
    console.print(table)
    for each in result["recovery"]:
        console.print(Measured(**{key: value for key, value in each.items() if key != "size"}).sentence(each["size"]))


if __name__ == "__main__":
    main()

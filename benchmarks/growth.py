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

from benchmarks.growth_installation import Installation, Servers, open_servers, prepare, running
from benchmarks.growth_meters import Cost, ProcessorTime
from benchmarks.growth_operations import OPERATIONS, Client
from benchmarks.growth_recovery import RUNS, Measured, measure
from benchmarks.seeding import Shape

DEFAULT_SIZES = (1_000, 20_000)
TARGET = 1.3
LABELS = {"waited_ms": "ms waited", "processor_ms": "ms of processor time"}
Costs = dict[str, dict[str, list[Cost]]]


def main() -> None:
    """Seed, measure, print the table and write the JSON."""
    given = _arguments()
    console = Console(stderr=True)
    folder = given.data_dir or Path(tempfile.mkdtemp(prefix="pipeloom-growth-"))
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    try:
        with Progress(console=console, disable=not console.is_terminal) as progress:
            result = asyncio.run(_measured(given, folder, progress))
    finally:
        if not given.data_dir:
            shutil.rmtree(folder, ignore_errors=True)
    given.output.parent.mkdir(parents=True, exist_ok=True)
    given.output.write_text(json.dumps(result, indent=2) + "\n")
    _show(result)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=DEFAULT_SIZES, help="pipelines in one environment")
    parser.add_argument("--environments", type=int, default=0, help="the last size once more, in so many environments")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--each", type=int, default=50, help="how often each operation is asked in a round")
    parser.add_argument("--recovery", action="store_true", help="measure verify and rebuild too")
    parser.add_argument(
        "--data-dir", type=Path, help="keep the data there for the next run; a million pipelines take 4 GB"
    )
    parser.add_argument("--output", type=Path, default=Path("build/benchmarks/growth.json"))
    return parser.parse_args()


async def _measured(given: argparse.Namespace, folder: Path, progress: Progress) -> dict[str, Any]:
    shapes = [Shape(size) for size in given.sizes]
    if given.environments:
        shapes.append(Shape(given.sizes[-1], given.environments))
    async with open_servers(folder) as servers:
        installations = [await _prepared(servers, folder, shape, progress) for shape in shapes]
        async with AsyncExitStack() as stack:
            meters = {
                each.name: ProcessorTime(
                    await stack.enter_async_context(running(each, folder)), servers.postgres.pid, each
                )
                for each in installations
            }
            costs = await asyncio.to_thread(_in_turns, installations, meters, given, progress)
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


async def _prepared(servers: Servers, folder: Path, shape: Shape, progress: Progress) -> Installation:
    task = progress.add_task(f"seeding {shape.pipelines:,}", total=shape.pipelines)
    return await prepare(servers, folder, shape, lambda pipelines: progress.advance(task, pipelines))


def _in_turns(
    installations: Sequence[Installation],
    meters: dict[str, ProcessorTime],
    given: argparse.Namespace,
    progress: Progress,
) -> Costs:
    """Return the cost of each operation at each size, by round; the first round, which warms up, is dropped."""
    clients = {each.name: Client(each, number) for number, each in enumerate(installations)}
    costs: Costs = {operation: {name: [] for name in clients} for operation in OPERATIONS}
    task = progress.add_task("asking", total=(given.rounds + 1) * len(OPERATIONS))
    for _ in range(given.rounds + 1):
        for operation, ask in OPERATIONS.items():
            for name, client in clients.items():
                costs[operation][name].append(_cost(client, meters[name], ask, given.each))
            progress.advance(task)
            print(".", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    for client in clients.values():
        client.close()
    return {operation: {name: found[1:] for name, found in sizes.items()} for operation, sizes in costs.items()}


def _cost(client: Client, meter: ProcessorTime, ask: Callable[[Client], float], times: int) -> Cost:
    client.connect_anew()
    before = meter.read_ms()
    waited = [ask(client) for _ in range(times)]
    return Cost(statistics.median(waited), (meter.read_ms() - before) / times)


def _summary(rounds: dict[str, list[Cost]], installations: Sequence[Installation]) -> dict[str, Any]:
    first = rounds[installations[0].name]
    return {
        name: {
            measure: _spread([each[place] for each in found], [each[place] for each in first])
            for place, measure in enumerate(Cost._fields)
        }
        for name, found in rounds.items()
    }


def _spread(found: Sequence[float], first: Sequence[float]) -> dict[str, Any]:
    ratios = [here / base for here, base in zip(found, first, strict=True) if base]
    return {
        "median": statistics.median(found),
        "range": [min(found), max(found)],
        "ratio": statistics.median(ratios) if ratios else None,
        "ratio_range": [min(ratios), max(ratios)] if ratios else None,
    }


def _show(result: dict[str, Any]) -> None:
    console = Console()
    table = Table(title=f"Cost of an operation by the number of pipelines (target: {TARGET}× the first)")
    for heading in ("operation", *result["sizes"]):
        table.add_column(heading, justify="left" if heading == "operation" else "right")
    for operation, sizes in result["operations"].items():
        for unit, label in LABELS.items():
            table.add_row(f"{operation}: {label}", *(_cell(each[unit]) for each in sizes.values()))
    console.print(table)
    for each in result["recovery"]:
        console.print(Measured(**{key: value for key, value in each.items() if key != "size"}).sentence(each["size"]))


def _cell(found: dict[str, Any]) -> str:
    if found["ratio"] is None:
        return f"{found['median']:.2f}"
    low, high = found["ratio_range"]
    return f"{found['median']:.2f}  {found['ratio']:.2f}× ({low:.2f}–{high:.2f})"


if __name__ == "__main__":
    main()

"""How a benchmark tells what it does and what it found: progress, a table, and a JSON file."""

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

OUT = Path("build/benchmarks")
VERSIONS = ("aiokafka", "asyncpg", "fastapi", "uvicorn", "uvloop", "httptools", "pydantic", "sqlalchemy")

console = Console(width=None if sys.stdout.isatty() else 140, highlight=False)


def options(text: str, name: str, rounds: int, seconds: float | None) -> argparse.ArgumentParser:
    """Return a parser whose help is the text of a benchmark, with the options that all have."""
    parser = argparse.ArgumentParser(
        prog=f"python -m benchmarks {name}", description=text, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=rounds, help=f"how often each side is measured ({rounds})")
    if seconds is not None:
        parser.add_argument("--seconds", type=float, default=seconds, help=f"how long a phase lasts ({seconds:g})")
    parser.add_argument("--out", type=Path, default=OUT, help=f"folder of the JSON file ({OUT})")
    return parser


def said(text: str) -> None:
    """Tell on standard error what happens now."""
    print(f"{time.strftime('%H:%M:%S')}  {text}", file=sys.stderr, flush=True)


def machine() -> dict[str, Any]:
    """Return what the figures depend on."""
    return {
        "cpus": os.cpu_count(),
        "cpu": _cpu_model(),
        "load_1min": os.getloadavg()[0],
        "kernel": platform.release(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in VERSIONS},
    }


def _cpu_model() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def show(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table."""
    table = Table(title=title, title_justify="left")
    for number, each in enumerate(head):
        table.add_column(each, justify="left" if number == 0 else "right")
    for row in rows:
        table.add_row(*row)
    console.print(table)


def write(folder: Path, name: str, found: dict[str, Any]) -> Path:
    """Write the figures as JSON and say where."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}.json"
    told = {"benchmark": name, "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "machine": machine(), **found}
    file.write_text(json.dumps(told, indent=2) + "\n")
    console.print(f"written: {file}")
    return file


def versus(value: float, target: float, at_least: bool = True) -> str:
    """Return a target with whether it is met."""
    met = value >= target if at_least else value <= target
    return f"{'≥' if at_least else '≤'} {target:g} {'met' if met else 'MISSED'}"

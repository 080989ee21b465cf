"""Runs a benchmark: `python -m benchmarks NAME`, or the usual ones after each other: `python -m benchmarks all`."""

import importlib.util
import runpy
import subprocess
import sys

BENCHMARKS = {
    "http": "create, get, list and delete over HTTP, against a textbook CRUD service and the floor",
    "footprint": "memory of each process, idle and after load",
    "composer": "commands waiting in Kafka: projected and published a second, against the raw limits",
    "recovery": "from nothing to ready, restarts, and failover after kill -9",
    "events": "from the commit to a Kafka consumer and to readers of the event stream",
    "growth": "what an operation costs with a thousand and a million pipelines",
    "overload": "what is refused, and what goes on, when more is asked than can be done",
}
# What `all` runs: those that together take less than ten minutes.
USUAL = ("http", "footprint", "composer", "recovery", "events")
# A module of the name would hide one of the standard library.
MODULES = {"http": "over_http"}


def module_of(name: str) -> str:
    """Return the module of a benchmark."""
    return f"benchmarks.{MODULES.get(name, name)}"


def main() -> None:
    """Run the benchmark that the first argument names."""
    there = [name for name in BENCHMARKS if importlib.util.find_spec(module_of(name)) is not None]
    name = sys.argv[1] if len(sys.argv) > 1 else "--help"
    if name == "all":
        sys.exit(run_all())
    if name not in there:
        print("usage: python -m benchmarks NAME [--help]\n")
        print("\n".join(f"  {each:<10} {BENCHMARKS[each]}" for each in there))
        print(f"  {'all':<10} {', '.join(USUAL)}: about ten minutes on a quiet machine")
        sys.exit(0 if name in {"-h", "--help"} else 2)
    sys.argv = [f"python -m benchmarks {name}", *sys.argv[2:]]
    runpy.run_module(module_of(name), run_name="__main__")


def run_all() -> int:
    """Run the usual benchmarks, each in a process of its own; return 1 when any of them failed."""
    failed = [name for name in USUAL if subprocess.call([sys.executable, "-m", "benchmarks", name])]
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return int(bool(failed))


if __name__ == "__main__":
    main()

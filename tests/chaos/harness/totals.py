"""Counts what was done to a run, what its clients did, and what its servers said."""

from collections import Counter
from pathlib import Path

from tests.chaos.harness.breaking import Breaker
from tests.chaos.harness.history import History, Sort, Told
from tests.chaos.harness.report import Report
from tests.chaos.harness.resources import Held
from tests.chaos.harness.world import World

# What Postgres was meant to say, and with which words it does.
SAID_BY_POSTGRES = {
    "serialization errors of Postgres": "could not serialize access",
    "deadlocks of Postgres": "deadlock detected",
    "times that Postgres had no room": "No space left on device",
}


def tell(report: Report, world: World, history: History, breaker: Breaker, held: Held) -> None:
    """Write all the counts of a run into its report."""
    report.acknowledged = history.acknowledged()
    report.kills = dict(sorted(breaker.kills.items()))
    report.left_out = breaker.left_out
    report.faults = dict(sorted(breaker.done.items()))
    report.not_possible = dict(sorted(breaker.not_possible.items()))
    report.summary = _in_short(report, history, breaker, world.folder / "logs" / "postgres.log")
    report.clients = _of_clients(history)
    report.clients["replies swallowed by proxies"] = sum(proxy.lost_replies for proxy in world.proxies.values())
    report.processes = _of_processes(world, held)


def _in_short(report: Report, history: History, breaker: Breaker, postgres_log: Path) -> dict[str, int]:
    sorts = Counter(each.sort for each in history.produced if each.is_acknowledged)
    resolved = sum(bool(each.unknowns) and each.told is not Told.UNKNOWN for each in history.asked)
    said = postgres_log.read_text(errors="replace")
    return {
        "commands acknowledged": report.acknowledged,
        "killed, all kinds together": sum(report.kills.values()),
        "pauses": sum(number for what, number in report.faults.items() if what.startswith("pause")),
        "duplicates": sorts[Sort.DUPLICATE],
        "poison": sorts[Sort.POISON],
        "outcomes that were unknown, and were resolved by asking again": resolved,
        **{f"starts of {server} that a full disk made necessary": n for server, n in breaker.full_disk_deaths.items()},
        **{what: said.count(words) for what, words in SAID_BY_POSTGRES.items()},
    }


def _of_clients(history: History) -> dict[str, int]:
    told = Counter(each.told.value for each in history.asked)
    sorts = Counter(each.sort.value for each in history.produced)
    return {
        **{f"over HTTP: {what}": number for what, number in told.items()},
        "over HTTP: answered only when asked again": sum(bool(each.unknowns) for each in history.asked),
        **{f"to Kafka: {sort}": number for sort, number in sorts.items()},
        "to Kafka: not acknowledged": sum(not each.is_acknowledged for each in history.produced),
        **{f"unknown: {what}": number for what, number in history.unknown.items()},
        **history.counts,
    }


def _of_processes(world: World, held: Held) -> dict[str, object]:
    parts = {**world.parts, **world.extra}.items()
    return {
        **{f"{n}: starts; ended by itself with": f"{part.starts}; {dict(part.ended_by_itself)}" for n, part in parts},
        **{f"{kept.name}: starts": kept.starts for kept in (world.kafka, world.postgres)},
        **{f"{kind}: most memory, MiB": round(most) for kind, most in held.memory_mib.items()},
        **{f"{kind}: most descriptors": most for kind, most in held.descriptors.items()},
    }

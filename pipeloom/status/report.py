"""What the screen shows, as a document. Pure."""

from collections.abc import Sequence
from typing import Any

from pipeloom.status.numbers import Numbers, grown, quantile, rate
from pipeloom.status.scrape import Scrape

Report = dict[str, Any]


def report_of(before: Sequence[Scrape], now: Sequence[Scrape], last_refusals: Any, told_at: str) -> Report:
    """Return how everything is now; rates and latencies are those between the two rounds."""
    seconds = now[0].at_s - before[0].at_s if before and now else 0.0
    earlier, numbers = Numbers(before), Numbers(now)
    return {
        "ready": all(scrape.is_ready for scrape in now),
        "at": told_at,
        "interval_s": round(seconds, 3),
        "processes": [_process(scrape) for scrape in now],
        "commands": _commands(earlier, numbers, seconds),
        "lags": {
            "composer_records": _whole(numbers.total("pipeloom_composer_lag_records")),
            "relay_events": _whole(numbers.total("pipeloom_relay_lag_events")),
            "relay_oldest_s": numbers.highest("pipeloom_relay_oldest_unpublished_seconds"),
            "builder_records": _whole(numbers.total("pipeloom_builder_lag_records")),
        },
        "refusals": {
            "by_code": {
                code: int(count)
                for code, count in sorted(numbers.by("pipeloom_composer_refusals_total", "code").items())
            },
            "dead_letters": _whole(numbers.total("pipeloom_composer_dead_letters_total")),
            "last": last_refusals,
        },
    }


def _process(scrape: Scrape) -> Report:
    return {
        "name": scrape.name,
        "url": scrape.url,
        "ready": scrape.is_ready,
        "trouble": scrape.trouble,
        "parts": dict(scrape.parts),
    }


def _commands(before: Numbers, now: Numbers, seconds: float) -> Report:
    counted, timed = "pipeloom_composer_commands_total", "pipeloom_command_seconds"
    recent = grown(before.buckets(timed), now.buckets(timed))
    is_recent = any(recent.values())
    buckets = recent if is_recent else now.buckets(timed)
    return {
        "per_s": rate(before.total(counted), now.total(counted), seconds),
        "waiting": _whole(now.total("pipeloom_commands_waiting")),
        "unknown": int(now.by("pipeloom_commands_total", "outcome").get("unknown", 0)),
        "p50_s": quantile(buckets, 0.5),
        "p99_s": quantile(buckets, 0.99),
        "latency_over": "interval" if is_recent else "since start",
    }


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)

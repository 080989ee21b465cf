"""What the screen shows, as a document. Pure."""

from collections.abc import Sequence
from typing import Any

from pipeloom.status.measured import Measured, Measurements
from pipeloom.status.numbers import Numbers, grown, quantile, rate
from pipeloom.status.scrape import Scrape

Report = dict[str, Any]


def report_of(
    before: Sequence[Scrape], now: Sequence[Scrape], last_refusals: Any, told_at: str, open_letters: Any = None
) -> Report:
    """Return how everything is now; rates and latencies are those between the two rounds.

    What nobody knows is None, never 0. `last_refusals` and `open_letters` are the environment's, as the API tells them.
    """
    seconds = now[0].at_s - before[0].at_s if before and now else 0.0
    earlier, numbers, measured = Numbers(before), Numbers(now), Measurements(now)
    return {
        "ready": all(scrape.is_ready for scrape in now),
        "at": told_at,
        "interval_s": round(seconds, 3),
        "processes": [_process(scrape) for scrape in now],
        "commands": _commands(earlier, numbers, seconds),
        "lags": _lags(measured),
        # Of those that are not ready, too: it is why they are not.
        "progress": {"held_up_s": numbers.highest("pipeloom_held_up_seconds")},
        "monitor": {
            "open_commands": _whole(measured.total("pipeloom_monitor_open_commands").now),
            "overdue_commands": _whole(measured.total("pipeloom_monitor_overdue_commands").now),
        },
        "webhooks": {
            "deliveries_pending": _whole(measured.highest("pipeloom_webhook_deliveries_pending").now),
            "disabled_since_start": _whole(numbers.total("pipeloom_webhooks_disabled_total")),
        },
        "refusals": {
            "by_code": _refusals(numbers),
            "dead_letters": _whole(numbers.total("pipeloom_composer_dead_letters_total")),
            "open_dead_letters": open_letters,
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
        "last_end": scrape.last_end,
    }


def _commands(before: Numbers, now: Numbers, seconds: float) -> Report:
    counted, timed = "pipeloom_composer_commands_total", "pipeloom_command_seconds"
    recent = grown(before.buckets(timed), now.buckets(timed))
    is_recent = any(recent.values())
    buckets = recent if is_recent else now.buckets(timed)
    outcomes = now.by("pipeloom_commands_total", "outcome")
    return {
        "per_s": rate(before.total(counted), now.total(counted), seconds),
        "waiting": _whole(now.total("pipeloom_commands_waiting")),
        "unknown": int(outcomes.get("unknown", 0)) if outcomes else None,
        "p50_s": quantile(buckets, 0.5),
        "p99_s": quantile(buckets, 0.99),
        "latency_over": "interval" if is_recent else "since start",
    }


def _lags(measured: Measurements) -> Report:
    lags: dict[str, Measured] = {
        "composer_records": measured.lag("pipeloom_composer_lag_records", "composer"),
        "relay_events": measured.lag("pipeloom_relay_lag_events", "relay"),
        "builder_records": measured.lag("pipeloom_builder_lag_records", "builder"),
    }
    return {
        **{name: _whole(lag.now) for name, lag in lags.items()},
        "relay_oldest_s": measured.highest("pipeloom_relay_oldest_unpublished_seconds").now,
        "measured_by": {name: lag.by for name, lag in lags.items() if lag.by},
        "last_told": {name: _whole(lag.was) for name, lag in lags.items() if lag.now is None and lag.was is not None},
    }


def _refusals(numbers: Numbers) -> dict[str, int] | None:
    by_code = numbers.by("pipeloom_composer_refusals_total", "code")
    return {code: int(count) for code, count in sorted(by_code.items())} if by_code else None


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)

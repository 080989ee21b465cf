"""What retention tells: how old the oldest rows are, how much went, and what holds the rest."""

from collections import Counter as Tally

from prometheus_client import Counter, Gauge

from services.composer.retention.prune import Piece, Pruned
from services.composer.retention.what_may_go import Hold

OLDEST = Gauge(
    "pipeloom_retention_oldest_row_age_seconds",
    "How long ago the oldest command was decided that the event log and the inbox still know",
)
KEEP = Gauge("pipeloom_retention_keep_seconds", "For how long commands and their events are kept; 0 when for ever")
ROWS = Counter("pipeloom_retention_pruned_rows", "Rows that were pruned", ["table"])
EVENTS, COMMANDS = ROWS.labels("event_log"), ROWS.labels("inbox")
LAST = Gauge("pipeloom_retention_last_round_timestamp_seconds", "When this process ended its last round of pruning")
HELD = Gauge("pipeloom_retention_held_environments", "Environments whose old events have to stay, by why", ["reason"])

UNREADABLE = "unreadable"
_REASONS = [hold.value for hold in Hold if hold is not Hold.YOUNG] + [UNREADABLE]

for _reason in _REASONS:
    HELD.labels(_reason)


def tell_piece(piece: Piece) -> None:
    """Count what went in one transaction, after it did."""
    EVENTS.inc(piece.events)
    COMMANDS.inc(piece.commands)


def tell_round(done: Pruned, now_s: float) -> None:
    """Tell what a round came to."""
    EVENTS.inc(done.strays)
    LAST.set(now_s)
    held = Tally(hold.value for hold in done.held.values())
    held[UNREADABLE] = len(done.unreadable)
    for reason in _REASONS:
        HELD.labels(reason).set(held[reason])

"""What the composer tells: its batches, what became of the commands, and how far behind it is."""

from collections import Counter as Tally
from collections.abc import Sequence
from typing import TYPE_CHECKING

from prometheus_client import Counter, Gauge, Histogram
from pydantic_core import from_json

from events.commands import COMMANDS as TYPES
from events.envelope import Command, Event
from events.refusals import Code
from events.results import CommandRejected
from services.composer.batch import CommandKey, Outcome
from services.composer.compose import Taken
from services.composer.intake import Unusable
from services.kit.clients import Consumer
from services.kit.lag import records_behind
from services.kit.metrics import FINE_S, SIZES

if TYPE_CHECKING:
    from services.composer.claims import Claims

BATCH_RECORDS = Histogram("pipeloom_composer_batch_records", "Records that one transaction settled", buckets=SIZES)
PHASES = Histogram(
    "pipeloom_composer_phase_seconds", "How long a batch was loaded, decided and saved", ["phase"], buckets=FINE_S
)
LOAD, DECIDE, SAVE = (PHASES.labels(phase) for phase in ("load", "decide", "save"))
COMMANDS = Counter(
    "pipeloom_composer_commands", "Records of the commands topic, by what became of them", ["type", "outcome"]
)
REFUSALS = Counter("pipeloom_composer_refusals", "Results that are refusals", ["code"])
DEAD_LETTERS = Counter("pipeloom_composer_dead_letters", "Records that were kept as dead letters", ["code"])
CLAIMS = Counter("pipeloom_composer_claims", "Partitions that were claimed")
FENCED = Counter("pipeloom_composer_fenced", "Batches that were not saved, since another composer owns a partition")
REPEATED = Counter("pipeloom_composer_batches_repeated", "Batches that were held up by trouble, and read again")
REWOUND = Counter(
    "pipeloom_composer_rewound_records", "Records that are composed again, since Postgres was restored to before them"
)
STOPPED = Gauge("pipeloom_composer_stopped_partitions", "Partitions whose commands are gone; an operator has to act")
CURSOR = Gauge("pipeloom_composer_cursor_offset", "The offset that a partition goes on from", ["partition"])
LAG = Gauge("pipeloom_composer_lag_records", "Records of the commands topic behind the cursor", ["partition"])

UNKNOWN = "unknown"
_cursors: dict[int, int] = {}

# A series that begins at 1 has not increased for Prometheus: those that alerts look at begin at 0.
for _code in Code:
    REFUSALS.labels(_code.value)
    DEAD_LETTERS.labels(_code.value)


def tell_settled(batch: Sequence[Taken], outcome: Outcome) -> None:
    """Count what one transaction settled, after it did."""
    settled = batch[: outcome.records]
    BATCH_RECORDS.observe(len(settled))
    results = {CommandKey(event.environment, event.command_id): event for event in outcome.events if event.is_result}
    # A label is looked up once for a batch, not once for a command.
    for (kind, became), number in Tally(_became(taken, results) for _, taken in settled).items():
        COMMANDS.labels(kind, became).inc(number)
    refusals = (from_json(event.data)["code"] for event in outcome.events if event.type == CommandRejected.__name__)
    for code, number in Tally(refusals).items():
        REFUSALS.labels(code).inc(number)
    for code, number in Tally(letter.refusal.code.value for letter in outcome.dead_letters).items():
        DEAD_LETTERS.labels(code).inc(number)


def _became(taken: Command | Unusable, results: dict[CommandKey, Event]) -> tuple[str, str]:
    """Return the type of what was taken, and its outcome."""
    if isinstance(taken, Command):
        return taken.type, _outcome_of(results.pop(CommandKey(taken.environment, taken.id), None))
    return (taken.command_type if taken.command_type in TYPES else UNKNOWN), "unusable"


def _outcome_of(result: Event | None) -> str:
    if result is None:
        return "repeated"
    return "refused" if result.type == CommandRejected.__name__ else "done"


def tell_lag(consumer: Consumer, claims: "Claims") -> None:
    """Tell where each assigned partition stands, and how much of the topic is behind its cursor.

    A claim that is given up for a moment, while a batch is held up, leaves its cursor where it was.
    """
    assigned = {where.partition: where for where in consumer.assignment()}
    for partition in _cursors.keys() - assigned.keys():
        del _cursors[partition]
        CURSOR.remove(str(partition))
        LAG.remove(str(partition))
    for partition, where in assigned.items():
        claim = claims.get(partition)
        if claim is not None:
            _cursors[partition] = claim.next_offset
        if partition in _cursors:
            CURSOR.labels(str(partition)).set(_cursors[partition])
            LAG.labels(str(partition)).set(records_behind(consumer.highwater(where) or 0, _cursors[partition]))

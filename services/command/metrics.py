"""What the command service tells of the commands that it takes over HTTP."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

from prometheus_client import Counter, Gauge, Histogram
from starlette.responses import Response

from events.commands import COMMANDS as TYPES
from events.envelope import Command
from events.refusals import Code, Refused
from services.kit.metrics import FINE_S, exemplar_of

COMMANDS = Counter(
    "pipeloom_commands",
    "Commands that were taken over HTTP, by what their requests were answered; `code` says why one was not done",
    ["type", "outcome", "code"],
)
SECONDS = Histogram(
    "pipeloom_command_seconds", "From a valid command to its result, as its client sees it", ["type"], buckets=FINE_S
)
WAITING = Gauge("pipeloom_commands_waiting", "Requests that wait for Kafka's acknowledgement or for a result")
REPEATS = Counter("pipeloom_command_repeats", "Requests that were answered with the result of an earlier one")

DONE, ACCEPTED, REFUSED, UNKNOWN, SHED = "done", "accepted", "refused", "unknown", "shed"
OUTCOMES = {
    Code.OUTCOME_UNKNOWN: UNKNOWN,
    Code.KAFKA_UNAVAILABLE: UNKNOWN,
    Code.OVERLOADED: SHED,
    Code.ENVIRONMENT_OVERLOADED: SHED,
}

# A series that begins at 1 has not increased for Prometheus: those that alerts look at begin at 0.
for _type in TYPES:
    COMMANDS.labels(_type, DONE, "")
    for _code, _outcome in OUTCOMES.items():
        COMMANDS.labels(_type, _outcome, _code.value)


class Submission:
    """One request's command, until it is answered."""

    def __init__(self, command: Command) -> None:
        self._command = command
        self._begun = perf_counter()

    def answered(self, response: Response) -> Response:
        """Count an answer, which is passed on."""
        is_accepted = response.status_code == 202
        self._tell(ACCEPTED if is_accepted else DONE, "", has_result=not is_accepted)
        return response

    def refused(self, code: Code) -> None:
        """Count a refusal, of ours or of the composer's."""
        outcome = OUTCOMES.get(code, REFUSED)
        self._tell(outcome, code.value, has_result=outcome is REFUSED)

    def _tell(self, outcome: str, code: str, *, has_result: bool) -> None:
        COMMANDS.labels(self._command.type, outcome, code).inc()
        if has_result:
            exemplar = exemplar_of(self._command.traceparent)
            SECONDS.labels(self._command.type).observe(perf_counter() - self._begun, exemplar)


@contextmanager
def submission(command: Command) -> Iterator[Submission]:
    """Measure what the block makes of `command`."""
    told = Submission(command)
    with WAITING.track_inprogress():
        try:
            yield told
        except Refused as refusal:
            told.refused(refusal.code)
            raise

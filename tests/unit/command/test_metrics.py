"""What is counted of a command that comes over HTTP."""

from typing import Any

import pytest
from prometheus_client import REGISTRY
from starlette.responses import Response

from events.commands import PipelineRequested
from events.envelope import Command
from events.refusals import Code, Refused
from services.command.metrics import submission
from tests.support.installation import command

TYPE = PipelineRequested.__name__


def new_command(**given: Any) -> Command:
    return command("lab", PipelineRequested(pipeline_name="churn", step_names=["train"]), **given)


def commands(outcome: str, code: str = "") -> float:
    labels = {"type": TYPE, "outcome": outcome, "code": code}
    return REGISTRY.get_sample_value("pipeloom_commands_total", labels) or 0.0


def timed() -> float:
    return REGISTRY.get_sample_value("pipeloom_command_seconds_count", {"type": TYPE}) or 0.0


def waiting() -> float | None:
    return REGISTRY.get_sample_value("pipeloom_commands_waiting")


@pytest.mark.parametrize(
    ("status", "outcome", "has_result"), [(201, "done", 1), (206, "done", 1), (202, "accepted", 0)]
)
def test_an_answer_is_counted_and_timed_when_it_is_the_result(status: int, outcome: str, has_result: int) -> None:
    before = commands(outcome), timed()
    with submission(new_command()) as told:
        assert waiting() == 1
        told.answered(Response(status_code=status))
    assert (commands(outcome), timed()) == (before[0] + 1, before[1] + has_result)
    assert waiting() == 0


@pytest.mark.parametrize(
    ("code", "outcome", "has_result"),
    [
        (Code.PIPELINE_EXISTS, "refused", 1),
        (Code.OUTCOME_UNKNOWN, "unknown", 0),
        (Code.KAFKA_UNAVAILABLE, "unknown", 0),
        (Code.OVERLOADED, "shed", 0),
        (Code.ENVIRONMENT_OVERLOADED, "shed", 0),
    ],
)
def test_a_refusal_is_counted_by_what_it_means(code: Code, outcome: str, has_result: int) -> None:
    before = commands(outcome, code.value), timed()
    with pytest.raises(Refused), submission(new_command()):
        raise Refused(code, "no")
    assert (commands(outcome, code.value), timed()) == (before[0] + 1, before[1] + has_result)
    assert waiting() == 0


def test_a_latency_leads_to_its_trace() -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    with submission(new_command(traceparent=f"00-{trace}-00f067aa0ba902b7-01")) as told:
        told.answered(Response(status_code=201))
    (family,) = (each for each in REGISTRY.collect() if each.name == "pipeloom_command_seconds")
    exemplars = [sample.exemplar.labels for sample in family.samples if sample.exemplar]
    assert {"trace_id": trace} in exemplars

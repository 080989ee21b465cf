"""Schedules: what the composer accepts, a document can tell in words."""

from uuid import UUID

import pytest

from events.commands import DeploymentRequested
from events.envelope import Command
from events.refusals import Code, Refused
from events.resources import Deployment, Pipeline
from events.results import DeploymentCreated
from services.composer.decider.decide import decide
from services.composer.decider.state import EnvironmentState, Kept
from services.kit.documents import documents_of
from services.kit.schedules import schedule_in_words

AT = "2026-01-31T12:00:00.000Z"
PIPELINE = Pipeline(
    pipeline_name="churn",
    step_names=["train"],
    connections=[],
    inputs=[],
    outputs=[],
    status="Ready",
    created_at=AT,
    created_by="ada",
)


def deployed(schedule: str) -> Deployment:
    """Return the deployment that the composer makes. Raises Refused."""
    state = EnvironmentState()
    state.pipelines.load("churn", Kept(PIPELINE, 1))
    state.deployments.load("nightly", None)
    data = DeploymentRequested(name="nightly", pipeline_name="churn", execution_rule="periodic", schedule=schedule)
    (event,) = decide(state, Command(UUID(int=1), "lab", "ada", "/tests", AT, data))
    assert isinstance(event, DeploymentCreated)
    return event.deployment


@pytest.mark.parametrize(
    "schedule",
    [
        "* * * * *",
        "*/5 * * * *",
        "0 0 1 1 *",
        "59 23 31 12 7",
        "0 6-18/2 * * MON-FRI",
        "1,2,3 0 * JAN,MAR *",
        "0 0 L * *",
        "0 0 LW * *",
        "0 0 * * 5#2",
        "0 0 * * 5L",
        "0 0 29 2 *",
        "  0\t6 * * 1 ",
    ],
)
def test_a_schedule_that_is_accepted_is_told_in_words(schedule: str) -> None:
    assert '"human_readable_schedule":"' in documents_of(deployed(schedule)).document


@pytest.mark.parametrize(
    "schedule",
    [
        "*,30 * * * *",
        "0 *,5 * * *",
        "0 0 1,* * *",
        "0 0 * *,6 *",
        "0 0 * * *,5",
    ],
)
def test_an_odd_schedule_is_told_in_words_or_refused(schedule: str) -> None:
    try:
        deployment = deployed(schedule)
    except Refused as refused:
        code: Code | None = refused.code
    else:
        code = None
        assert schedule_in_words(deployment.schedule)
    assert code in {None, Code.INVALID_SCHEDULE}


def test_without_a_schedule_there_are_no_words() -> None:
    assert schedule_in_words(None) is None

import pytest

from events.commands import StepBuildReported, StepDeleteRequested, StepRequested
from events.refusals import Code
from events.resources import DeploymentRef, StepStatus
from events.results import DeploymentDeleted, PipelineDeleted, StepCreated, StepDeleted, StepFailed, StepReady
from services.composer.decider.decide import decide
from tests.unit.composer.world import command, decided, deployment, environment_with, having, pipeline, refused, step

REQUEST = StepRequested(step_name="s", function_path="src/step.py", function_name="run")


def report(outcome: str = "ready", requested_by: str = "request-1", **found: str) -> StepBuildReported:
    return StepBuildReported.model_validate(
        {"step_name": "s", "requested_by": requested_by, "outcome": outcome, **found}
    )


def test_a_step_is_accepted_as_pending_and_remembers_its_request() -> None:
    # Given
    asked = command(REQUEST)
    # When
    (event,) = decide(environment_with([], REQUEST), asked)
    # Then
    assert isinstance(event, StepCreated)
    assert (event.step.status, event.step.requested_by) == (StepStatus.PENDING, str(asked.id))


@pytest.mark.parametrize("status", [StepStatus.PENDING, StepStatus.READY])
def test_a_taken_name_is_refused(status: StepStatus) -> None:
    assert refused(having(step(status=status)), REQUEST).code == Code.STEP_EXISTS


def test_the_name_of_a_failed_step_may_be_requested_again() -> None:
    (event,) = decided(having(step(status=StepStatus.FAILED)), REQUEST)
    assert isinstance(event, StepCreated)


def test_a_good_report_makes_the_pending_step_ready() -> None:
    # Given
    pending = step(status=StepStatus.PENDING)
    # When
    (event,) = decided(having(pending), report(commit_id="c0ffee", origin="git_repository"))
    # Then
    ready = step(status=StepStatus.READY, commit_id="c0ffee", origin="git_repository")
    assert event == StepReady(step=ready, before=pending)


def test_a_bad_report_fails_the_pending_step_with_the_reason() -> None:
    # Given
    pending = step(status=StepStatus.PENDING)
    # When
    (event,) = decided(having(pending), report("failed", reason="src/step.py is missing"))
    # Then
    assert event == StepFailed(step=step(status=StepStatus.FAILED, failure="src/step.py is missing"), before=pending)


@pytest.mark.parametrize(
    ("status", "requested_by"), [(StepStatus.READY, "request-1"), (StepStatus.PENDING, "an-older-request")]
)
def test_a_report_about_a_step_that_does_not_wait_for_it_is_refused(status: StepStatus, requested_by: str) -> None:
    assert refused(having(step(status=status)), report(requested_by=requested_by)).code == Code.BUILD_OUTDATED


def test_a_report_about_an_absent_step_is_refused() -> None:
    assert refused([], report()).code == Code.STEP_NOT_FOUND


def test_a_step_that_pipelines_use_is_kept_and_they_are_named() -> None:
    refusal = refused(having(step(), pipeline("q"), pipeline("p")), StepDeleteRequested(step_name="s"))
    assert (refusal.code, refusal.details["pipelines"]) == (Code.STEP_IN_USE, ["p", "q"])


def test_a_forced_deletion_takes_pipelines_and_their_deployments_along() -> None:
    # Given
    history = having(step(), pipeline("p"), pipeline("q"), deployment("d", "q"))
    # When
    events = decided(history, StepDeleteRequested(step_name="s", force_dependents_deletion=True))
    # Then
    ref = DeploymentRef(name="d", execution_rule="endpoint")
    assert events == [
        PipelineDeleted(pipeline=pipeline("p"), deployments=[]),
        DeploymentDeleted(deployment=deployment("d", "q")),
        PipelineDeleted(pipeline=pipeline("q"), deployments=[ref]),
        StepDeleted(step=step(), pipelines=["p", "q"], deployments=[ref]),
    ]

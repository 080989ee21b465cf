import pytest

from events.commands import StepBuildReported, StepDeleteRequested, StepRequested, StepUpdateRequested
from events.refusals import Code
from events.resources import DeploymentRef, InputSpec, OutputSpec, StepStatus
from events.results import (
    DeploymentDeleted,
    PipelineDeleted,
    StepCreated,
    StepDeleted,
    StepFailed,
    StepReady,
    StepUpdated,
)
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


def test_a_report_brings_the_kept_source_and_a_failure_its_code() -> None:
    pending, kept = step(status=StepStatus.PENDING), f"sha256:{'a' * 64}"
    (ready,) = decided(having(pending), report(source=kept))
    (failed,) = decided(having(pending), report("failed", reason="gone", failure_code="file_not_found"))
    assert isinstance(ready, StepReady)
    assert isinstance(failed, StepFailed)
    assert ready.step.source == kept
    assert (failed.step.failure, failed.step.failure_code) == ("gone", "file_not_found")


def test_an_uploaded_step_is_local_and_keeps_what_was_uploaded() -> None:
    kept = f"sha256:{'a' * 64}"
    (created,) = decided([], REQUEST.model_copy(update={"source": kept}))
    assert isinstance(created, StepCreated)
    assert (created.step.origin, created.step.source) == ("local", kept)
    (failed,) = decided(having(created.step), report("failed", requested_by=created.step.requested_by))
    assert isinstance(failed, StepFailed)
    assert (failed.step.origin, failed.step.source) == ("local", kept)


@pytest.mark.parametrize("kind", [StepRequested, StepUpdateRequested])
def test_a_secret_in_the_clear_is_refused_and_not_repeated(kind: type[StepRequested | StepUpdateRequested]) -> None:
    data = kind(
        step_name="s", function_path="a", function_name="f", container_config={"repository_deploy_key": "BEGIN"}
    )
    refusal = refused(having(step(status=StepStatus.FAILED)), data)
    assert refusal.code == Code.SECRET_IN_THE_CLEAR
    assert "BEGIN" not in f"{refusal.message}{refusal.details}"


@pytest.mark.parametrize("kind", [StepRequested, StepUpdateRequested])
@pytest.mark.parametrize("url", ["https://ada:secret@host/x.git", "https://token@host/x.git", "ssh://git:pw@host/x"])
def test_a_password_in_a_repositorys_url_is_refused_and_not_repeated(
    kind: type[StepRequested | StepUpdateRequested], url: str
) -> None:
    fields = {"step_name": "s", "function_path": "f.py", "function_name": "f"}
    asked = kind.model_validate({**fields, "container_config": {"repository_url": url}})
    told = refused(having(step()) if kind is StepUpdateRequested else having(), asked)
    assert told.code == Code.SECRET_IN_THE_CLEAR
    assert "secret@" not in told.message
    assert "token@" not in told.message


@pytest.mark.parametrize("url", ["git@host:x.git", "ssh://git@host/x.git", "https://host/x@1.git", "/srv/a@b", None, 7])
def test_a_user_of_ssh_and_a_path_are_no_secrets(url: object) -> None:
    asked = REQUEST.model_copy(update={"container_config": {"repository_url": url}})
    (event,) = decided(having(), asked)
    assert isinstance(event, StepCreated)


def test_updates_do_not_let_a_step_grow_without_end() -> None:
    # Given
    config = {f"k{number}": "é" * 500_000 for number in range(2)}
    grown = step(container_config=config)
    # When
    told = refused(having(grown), StepUpdateRequested(step_name="s", container_config={"another": "x" * 200_000}))
    # Then
    assert told.code == Code.PAYLOAD_TOO_LARGE


UPDATE = StepUpdateRequested(step_name="s", container_config={"repository_branch": "dev", "language": None})


@pytest.mark.parametrize("status", StepStatus)
def test_an_update_begins_a_new_build_and_changes_only_what_was_given(status: StepStatus) -> None:
    # Given
    config = {"repository_url": "https://x/y", "language": "3.11"}
    found = {"commit_id": "c0ffee", "failure": "old", "failure_code": "old", "source": f"sha256:{'a' * 64}"}
    before = step(status=status, container_config=config, origin="git_repository", **found)
    asked = command(UPDATE)
    # When
    (event,) = decide(environment_with(having(before), UPDATE), asked)
    # Then
    after = step(
        status=StepStatus.PENDING,
        container_config={"repository_url": "https://x/y", "repository_branch": "dev", "language": None},
        requested_by=str(asked.id),
        updated_at=asked.time,
    )
    assert event == StepUpdated(step=after, before=before)


def test_an_update_of_an_absent_step_is_refused() -> None:
    assert refused([], UPDATE).code == Code.STEP_NOT_FOUND


def test_a_report_of_the_build_before_an_update_is_outdated() -> None:
    before = step(status=StepStatus.PENDING)
    state = environment_with(having(before), UPDATE)
    (updated,) = decide(state, command(UPDATE))
    assert isinstance(updated, StepUpdated)
    assert refused(having(updated.step), report(requested_by=before.requested_by)).code == Code.BUILD_OUTDATED
    (ready,) = decided(having(updated.step), report(requested_by=updated.step.requested_by))
    assert isinstance(ready, StepReady)


def test_an_uploaded_step_is_built_anew_from_its_archive_unless_a_repository_is_given() -> None:
    kept = f"sha256:{'a' * 64}"
    before = step(origin="local", source=kept)
    (again,) = decided(having(before), StepUpdateRequested(step_name="s", function_name="other"))
    (moved,) = decided(having(before), StepUpdateRequested(step_name="s", container_config={"repository_url": "x"}))
    assert isinstance(again, StepUpdated)
    assert isinstance(moved, StepUpdated)
    assert (again.step.source, again.step.origin) == (kept, "local")
    assert (moved.step.source, moved.step.origin) == (None, None)


CHANGES = {
    "inputs": [InputSpec(name="z", data_type="number")],
    "outputs": [OutputSpec(name="z", data_type="json")],
}


@pytest.mark.parametrize("field", CHANGES)
def test_inputs_and_outputs_stay_while_pipelines_use_the_step(field: str) -> None:
    changed = StepUpdateRequested.model_validate({"step_name": "s", field: CHANGES[field]})
    same = StepUpdateRequested.model_validate({"step_name": "s", field: getattr(step(), field)})
    refusal = refused(having(step(), pipeline("p")), changed)
    assert (refusal.code, refusal.details["pipelines"]) == (Code.STEP_IN_USE, ["p"])
    for history, asked in ((having(step()), changed), (having(step(), pipeline("p")), same)):
        (event,) = decided(history, asked)
        assert isinstance(event, StepUpdated)


def test_a_step_that_failed_under_its_pipelines_is_requested_again_with_the_same_inputs_only() -> None:
    history = having(step(status=StepStatus.FAILED), pipeline("p"))
    assert refused(history, REQUEST).code == Code.STEP_IN_USE
    same = REQUEST.model_copy(update={"inputs": step().inputs, "outputs": step().outputs})
    (event,) = decided(history, same)
    assert isinstance(event, StepCreated)

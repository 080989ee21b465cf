import pytest

from events.commands import PipelineDeleteRequested, PipelineRequested
from events.refusals import Code
from events.resources import DeploymentRef, StepStatus
from events.results import DeploymentDeleted, PipelineCreated, PipelineDeleted
from services.composer.decider import dependents
from tests.unit.composer.world import decided, deployment, having, pipeline, refused, step


def test_a_pipeline_on_a_ready_step_takes_over_its_inputs_and_outputs() -> None:
    # Given
    history = having(step("clean"))
    # When
    (event,) = decided(history, PipelineRequested(pipeline_name="churn", step_names=["clean"]))
    # Then
    assert isinstance(event, PipelineCreated)
    assert event.pipeline.model_dump() == {
        "pipeline_name": "churn",
        "step_names": ["clean"],
        "connections": [],
        "inputs": [
            {
                "input_name": "x",
                "step_name": "clean",
                "data_type": "number",
                "description": "a number",
                "default_value": 1,
                "is_required": True,
            }
        ],
        "outputs": [{"output_name": "y", "step_name": "clean", "data_type": "json", "description": None}],
        "status": "Ready",
        "created_at": "2026-01-31T12:00:00.000Z",
        "created_by": "ada",
    }


def test_a_pipeline_on_a_step_that_does_not_exist_is_refused() -> None:
    refusal = refused([], PipelineRequested(pipeline_name="p", step_names=["s"]))
    assert (refusal.code, refusal.details) == (Code.STEP_NOT_FOUND, {"step_name": "s"})


@pytest.mark.parametrize("status", [StepStatus.PENDING, StepStatus.FAILED])
def test_a_pipeline_on_a_step_that_is_not_ready_is_refused(status: StepStatus) -> None:
    refusal = refused(having(step(status=status)), PipelineRequested(pipeline_name="p", step_names=["s"]))
    assert (refusal.code, refusal.details) == (Code.STEP_NOT_READY, {"step_name": "s", "status": status.value})


def test_a_taken_name_is_refused() -> None:
    refusal = refused(having(step(), pipeline()), PipelineRequested(pipeline_name="p", step_names=["s"]))
    assert (refusal.code, refusal.details) == (Code.PIPELINE_EXISTS, {"pipeline_name": "p"})


@pytest.mark.parametrize(
    ("step_names", "connections"), [([], []), (["s", "t"], []), (["s"], [{"from": "s", "to": "s"}])]
)
def test_anything_but_a_single_step_is_refused_for_now(
    step_names: list[str], connections: list[dict[str, str]]
) -> None:
    asked = PipelineRequested.model_validate(
        {"pipeline_name": "p", "step_names": step_names, "connections": connections}
    )
    assert refused(having(step("s"), step("t")), asked).code == Code.SINGLE_STEP_ONLY


def test_a_pipeline_that_nothing_uses_is_deleted() -> None:
    events = decided(having(step(), pipeline()), PipelineDeleteRequested(pipeline_name="p"))
    assert events == [PipelineDeleted(pipeline=pipeline(), deployments=[])]


def test_the_deletion_of_an_absent_pipeline_is_refused() -> None:
    refusal = refused([], PipelineDeleteRequested(pipeline_name="p", force_deployments_deletion=True))
    assert (refusal.code, refusal.details) == (Code.PIPELINE_NOT_FOUND, {"pipeline_name": "p"})


def test_a_pipeline_that_deployments_use_is_kept_and_they_are_named() -> None:
    # Given
    history = having(step(), pipeline(), deployment("nightly", rule="periodic"), deployment("api"))
    # When
    refusal = refused(history, PipelineDeleteRequested(pipeline_name="p"))
    # Then
    assert (refusal.code, refusal.details["deployments"]) == (Code.PIPELINE_IN_USE, ["api", "nightly"])
    assert "force_deployments_deletion" in refusal.message


def test_a_forced_deletion_takes_the_pipelines_own_deployments_along_and_no_other() -> None:
    # Given
    api, nightly = deployment("api"), deployment("nightly", rule="periodic")
    history = having(step(), pipeline(), pipeline("q"), nightly, api, deployment("other", "q"))
    # When
    events = decided(history, PipelineDeleteRequested(pipeline_name="p", force_deployments_deletion=True))
    # Then
    refs = [
        DeploymentRef(name="api", execution_rule="endpoint"),
        DeploymentRef(name="nightly", execution_rule="periodic"),
    ]
    assert events == [
        DeploymentDeleted(deployment=api),
        DeploymentDeleted(deployment=nightly),
        PipelineDeleted(pipeline=pipeline(), deployments=refs),
    ]


def test_a_forced_deletion_of_more_dependents_than_one_result_can_name_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Given
    monkeypatch.setattr(dependents, "MAX_DEPENDENTS", 1)
    history = having(step(), pipeline(), deployment("a"), deployment("b"))
    # When
    refusal = refused(history, PipelineDeleteRequested(pipeline_name="p", force_deployments_deletion=True))
    # Then
    assert (refusal.code, refusal.details) == (Code.TOO_MANY_DEPENDENTS, {"dependents": 2})


@pytest.mark.parametrize(("expected", "deleted"), [(None, True), (2, True), (1, False), (3, False)])
def test_a_deletion_that_names_a_version_is_decided_only_at_that_version(expected: int | None, deleted: bool) -> None:
    history = having(step(), pipeline())  # the pipeline is the second event
    asked = PipelineDeleteRequested(pipeline_name="p", expected_version=expected)
    if deleted:
        assert len(decided(history, asked)) == 1
    else:
        assert refused(history, asked).code == Code.PRECONDITION_FAILED

"""The rules of steps."""

from events.commands import StepBuildReported, StepDeleteRequested, StepRequested
from events.envelope import Command
from events.refusals import Code, Refused
from events.resources import Deployment, Pipeline, Step, StepStatus
from events.results import (
    DeploymentDeleted,
    EventData,
    PipelineDeleted,
    StepCreated,
    StepDeleted,
    StepFailed,
    StepReady,
)
from services.composer.decider.dependents import advice, check_number, named, refs
from services.composer.decider.state import EnvironmentState


def request_step(state: EnvironmentState, command: Command, data: StepRequested) -> list[EventData]:
    """A step is accepted when its name is free; the name of a failed step is free."""
    present = state.steps.find(data.step_name)
    if present is not None and present.status is not StepStatus.FAILED:
        raise Refused(
            Code.STEP_EXISTS,
            f"There is a step '{data.step_name}' already. Delete it first, or choose another name.",
            step_name=data.step_name,
        )
    step = Step(
        **data.model_dump(exclude={"inputs", "outputs"}),
        inputs=data.inputs,
        outputs=data.outputs,
        status=StepStatus.PENDING,
        requested_by=str(command.id),
        created_at=command.time,
        created_by=command.actor,
        updated_at=command.time,
    )
    return [StepCreated(step=step)]


def report_build(state: EnvironmentState, command: Command, data: StepBuildReported) -> list[EventData]:
    """A build report settles the pending step that it is about, and no other."""
    step = find_step(state, data.step_name)
    if step.status is not StepStatus.PENDING or step.requested_by != data.requested_by:
        raise Refused(
            Code.BUILD_OUTDATED,
            f"The step '{step.step_name}' is not waiting for this build: it is {step.status} "
            f"and was requested by command {step.requested_by}.",
            step_name=step.step_name,
        )
    found = {"updated_at": command.time, "commit_id": data.commit_id, "origin": data.origin}
    if data.outcome == "ready":
        return [StepReady(step=step.model_copy(update={**found, "status": StepStatus.READY}), before=step)]
    failure = {"status": StepStatus.FAILED, "failure": data.reason or "The builder gave no reason."}
    return [StepFailed(step=step.model_copy(update={**found, **failure}), before=step)]


def delete_step(state: EnvironmentState, _: Command, data: StepDeleteRequested) -> list[EventData]:
    """A step that pipelines use is deleted only by force, and takes them and their deployments along."""
    step = find_step(state, data.step_name)
    pipelines = state.pipelines.children_of(step.step_name)
    if pipelines and not data.force_dependents_deletion:
        names = [pipeline.pipeline_name for pipeline in pipelines]
        raise Refused(
            Code.STEP_IN_USE,
            f"The step '{step.step_name}' is used by {named('pipeline', names)}. "
            f"{advice(names)}, or repeat with force_dependents_deletion=true.",
            step_name=step.step_name,
            pipelines=list(names),
        )
    deployments = [each for pipeline in pipelines for each in state.deployments.children_of(pipeline.pipeline_name)]
    check_number([*pipelines, *deployments])
    return [*_dependents_deleted(state, pipelines), _step_deleted(step, pipelines, deployments)]


def find_step(state: EnvironmentState, name: str) -> Step:
    """Return the step of that name. Raises Refused step_not_found."""
    step = state.steps.find(name)
    if step is None:
        raise Refused(
            Code.STEP_NOT_FOUND,
            f"There is no step '{name}' in this environment. Create it first, or check the name.",
            step_name=name,
        )
    return step


def _dependents_deleted(state: EnvironmentState, pipelines: list[Pipeline]) -> list[EventData]:
    events: list[EventData] = []
    for pipeline in pipelines:
        deployments = state.deployments.children_of(pipeline.pipeline_name)
        events += [DeploymentDeleted(deployment=deployment) for deployment in deployments]
        events.append(PipelineDeleted(pipeline=pipeline, deployments=refs(deployments)))
    return events


def _step_deleted(step: Step, pipelines: list[Pipeline], deployments: list[Deployment]) -> StepDeleted:
    return StepDeleted(
        step=step, pipelines=[pipeline.pipeline_name for pipeline in pipelines], deployments=refs(deployments)
    )

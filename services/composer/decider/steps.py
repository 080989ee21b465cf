"""The rules of steps."""

from events.commands import StepBuildReported, StepDeleteRequested, StepRequested, StepUpdateRequested
from events.envelope import Command
from events.refusals import Code, Refused
from events.resources import LOCAL_ORIGIN, Deployment, Pipeline, Step, StepStatus
from events.results import (
    DeploymentDeleted,
    EventData,
    PipelineDeleted,
    StepCreated,
    StepDeleted,
    StepFailed,
    StepReady,
    StepUpdated,
)
from events.secrets import DEPLOY_KEY, secret_in_the_clear
from events.topics import MIB
from services.composer.decider.dependents import advice, check_number, named, refs
from services.composer.decider.sizes import check_size
from services.composer.decider.state import EnvironmentState

# An event about a step may tell it twice, before and after, and has to fit into one record of the events topic.
MAX_STEP_BYTES = 2 * MIB
# What stands when a build begins, whatever an earlier one had found.
UNBUILT: dict[str, str | None] = {
    "status": StepStatus.PENDING,
    "commit_id": None,
    "origin": None,
    "failure": None,
    "failure_code": None,
    "source": None,
}


def request_step(state: EnvironmentState, command: Command, data: StepRequested) -> list[EventData]:
    """A step is accepted when its name is free; the name of a failed step is free."""
    present = state.steps.find(data.step_name)
    if present is not None and present.status is not StepStatus.FAILED:
        raise Refused(
            Code.STEP_EXISTS,
            f"There is a step '{data.step_name}' already. Delete it first, or choose another name.",
            step_name=data.step_name,
        )
    _check_secrets(data)
    step = Step(
        **data.model_dump(exclude={"inputs", "outputs"}),
        origin=LOCAL_ORIGIN if data.source else None,
        inputs=data.inputs,
        outputs=data.outputs,
        status=StepStatus.PENDING,
        requested_by=str(command.id),
        created_at=command.time,
        created_by=command.actor,
        updated_at=command.time,
    )
    check_size(f"step '{step.step_name}'", step, MAX_STEP_BYTES, "Keep large values in its repository.")
    if present is not None:
        _check_interface(state, present, step)
    return [StepCreated(step=step)]


def update_step(state: EnvironmentState, command: Command, data: StepUpdateRequested) -> list[EventData]:
    """A step is built anew from what it was and what is given; pipelines that use it keep its inputs and outputs.

    A build of it that is under way becomes outdated: the new one is asked for by this command.
    """
    before = find_step(state, data.step_name)
    _check_secrets(data)
    given = {name: value for name in type(data).model_fields if (value := getattr(data, name)) is not None}
    changes = {**given, "container_config": {**before.container_config, **data.container_config}}
    uploaded = before.origin == LOCAL_ORIGIN and "repository_url" not in data.container_config
    begun = {**UNBUILT, "origin": LOCAL_ORIGIN, "source": before.source} if uploaded else UNBUILT
    step = before.model_copy(
        update={**begun, **changes, "requested_by": str(command.id), "updated_at": command.time},
    )
    check_size(f"step '{step.step_name}'", step, MAX_STEP_BYTES, "Keep large values in its repository.")
    _check_interface(state, before, step)
    return [StepUpdated(step=step, before=before)]


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
    found: dict[str, str | None] = {
        "updated_at": command.time,
        "commit_id": data.commit_id,
        "origin": data.origin or step.origin,
        "source": data.source or step.source,
    }
    if data.outcome == "ready":
        return [StepReady(step=step.model_copy(update={**found, "status": StepStatus.READY}), before=step)]
    failure = {
        "status": StepStatus.FAILED,
        "failure": data.reason or "The builder gave no reason.",
        "failure_code": data.failure_code,
    }
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


def _check_secrets(data: StepRequested | StepUpdateRequested) -> None:
    field = secret_in_the_clear(data.container_config)
    if field:
        raise Refused(
            Code.SECRET_IN_THE_CLEAR,
            f"{field} holds a secret in the clear in this command. Replace that secret, and ask for the step over HTTP "
            f"with a {DEPLOY_KEY}, which is sealed there.",
            step_name=data.step_name,
        )


def _check_interface(state: EnvironmentState, before: Step, after: Step) -> None:
    """Raise Refused step_in_use when pipelines use a step whose inputs or outputs would change under them."""
    if (before.inputs, before.outputs) == (after.inputs, after.outputs):
        return
    names = [pipeline.pipeline_name for pipeline in state.pipelines.children_of(before.step_name)]
    if names:
        raise Refused(
            Code.STEP_IN_USE,
            f"The step '{before.step_name}' is used by {named('pipeline', names)}, so its inputs and outputs have to "
            f"stay as they are. {advice(names)}, or leave inputs and outputs unchanged.",
            step_name=before.step_name,
            pipelines=list(names),
        )


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

"""The rules of pipelines."""

from events.commands import PipelineDeleteRequested, PipelineRequested
from events.envelope import Command
from events.refusals import Code, Refused
from events.resources import Pipeline, PipelineInput, PipelineOutput, Step, StepStatus
from events.results import DeploymentDeleted, EventData, PipelineCreated, PipelineDeleted
from services.composer.decider.dependents import advice, check_number, named, refs
from services.composer.decider.state import EnvironmentState
from services.composer.decider.steps import find_step


def request_pipeline(state: EnvironmentState, command: Command, data: PipelineRequested) -> list[EventData]:
    """A pipeline is created on a step that is Ready, under a free name, with the step's inputs and outputs."""
    if len(data.step_names) != 1 or data.connections:
        raise Refused(
            Code.SINGLE_STEP_ONLY,
            "A pipeline has exactly one step and no connections for now. "
            f"Steps given: {len(data.step_names)}; connections given: {len(data.connections)}.",
        )
    step = _ready_step(state, data.step_names[0])
    if state.pipelines.find(data.pipeline_name) is not None:
        raise Refused(
            Code.PIPELINE_EXISTS,
            f"There is a pipeline '{data.pipeline_name}' already. Delete it first, or choose another name.",
            pipeline_name=data.pipeline_name,
        )
    pipeline = Pipeline(
        pipeline_name=data.pipeline_name,
        step_names=data.step_names,
        connections=data.connections,
        inputs=_open_inputs(step),
        outputs=_open_outputs(step),
        status="Ready",
        created_at=command.time,
        created_by=command.actor,
    )
    return [PipelineCreated(pipeline=pipeline)]


def delete_pipeline(state: EnvironmentState, _: Command, data: PipelineDeleteRequested) -> list[EventData]:
    """A pipeline that deployments use is deleted only by force, and takes them along."""
    pipeline = find_pipeline(state, data.pipeline_name)
    _check_version(state, data)
    deployments = state.deployments.children_of(pipeline.pipeline_name)
    if deployments and not data.force_deployments_deletion:
        names = [deployment.name for deployment in deployments]
        raise Refused(
            Code.PIPELINE_IN_USE,
            f"The pipeline '{pipeline.pipeline_name}' is used by {named('deployment', names)}. "
            f"{advice(names)}, or repeat with force_deployments_deletion=true.",
            pipeline_name=pipeline.pipeline_name,
            deployments=list(names),
        )
    check_number(deployments)
    gone = [DeploymentDeleted(deployment=deployment) for deployment in deployments]
    return [*gone, PipelineDeleted(pipeline=pipeline, deployments=refs(deployments))]


def find_pipeline(state: EnvironmentState, name: str) -> Pipeline:
    """Return the pipeline of that name. Raises Refused pipeline_not_found."""
    pipeline = state.pipelines.find(name)
    if pipeline is None:
        raise Refused(
            Code.PIPELINE_NOT_FOUND,
            f"There is no pipeline '{name}' in this environment. Create it first, or check the name.",
            pipeline_name=name,
        )
    return pipeline


def _ready_step(state: EnvironmentState, name: str) -> Step:
    step = find_step(state, name)
    if step.status is not StepStatus.READY:
        advice = "Wait until it is Ready" if step.status is StepStatus.PENDING else "Mend it and create it again"
        raise Refused(
            Code.STEP_NOT_READY,
            f"The step '{name}' is {step.status}, not Ready. {advice}.",
            step_name=name,
            status=step.status.value,
        )
    return step


def _check_version(state: EnvironmentState, data: PipelineDeleteRequested) -> None:
    version = state.pipelines.version(data.pipeline_name)
    if data.expected_version not in {None, version}:
        raise Refused(
            Code.PRECONDITION_FAILED,
            f"The pipeline '{data.pipeline_name}' is at version {version}, not {data.expected_version}: "
            "it was replaced since it was read. Read it again.",
            pipeline_name=data.pipeline_name,
            version=version,
        )


def _open_inputs(step: Step) -> list[PipelineInput]:
    return [
        PipelineInput(
            input_name=each.name,
            step_name=step.step_name,
            data_type=each.data_type,
            description=each.description,
            default_value=each.default_value,
            is_required=each.is_required,
        )
        for each in step.inputs
    ]


def _open_outputs(step: Step) -> list[PipelineOutput]:
    return [
        PipelineOutput(
            output_name=each.name, step_name=step.step_name, data_type=each.data_type, description=each.description
        )
        for each in step.outputs
    ]

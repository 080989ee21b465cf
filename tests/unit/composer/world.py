"""Builds what is so before a decision, and decides."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID, uuid4

from events.commands import CommandData
from events.envelope import Command
from events.refusals import Refused
from events.resources import (
    Deployment,
    EnvironmentVariable,
    InputSpec,
    OutputSpec,
    Pipeline,
    PipelineInput,
    PipelineOutput,
    Step,
    StepStatus,
)
from events.results import DeploymentCreated, EnvironmentVariablesSet, EventData, PipelineCreated, StepCreated
from services.composer.batch import BatchState
from services.composer.decider.decide import decide, evolve
from services.composer.decider.needs import Needs
from services.composer.decider.state import EnvironmentState
from services.composer.intake import Received

NOW = "2026-01-31T12:00:00.000Z"
ENVIRONMENT = "env"
SEALED = "sealed:v1:0123abcd:AAAAAAAAAAAAAAAAAAAAAAAAAAAA"


def step(name: str = "s", status: StepStatus = StepStatus.READY, **given: object) -> Step:
    fields: dict[str, object] = {
        "step_name": name,
        "function_path": "src/step.py",
        "function_name": "run",
        "description": None,
        "inputs": [InputSpec(name="x", data_type="number", description="a number", is_required=True, default_value=1)],
        "outputs": [OutputSpec(name="y", data_type="json")],
        "container_config": {},
        "status": status,
        "requested_by": "request-1",
        "created_at": NOW,
        "created_by": "ada",
        "updated_at": NOW,
    }
    return Step.model_validate({**fields, **given})


def pipeline(
    name: str = "p",
    step_name: str = "s",
    inputs: Sequence[PipelineInput] = (),
    outputs: Sequence[PipelineOutput] = (),
) -> Pipeline:
    return Pipeline(
        pipeline_name=name,
        step_names=[step_name],
        connections=[],
        inputs=list(inputs),
        outputs=list(outputs),
        status="Ready",
        created_at=NOW,
        created_by="ada",
    )


def deployment(name: str = "d", pipeline_name: str = "p", rule: str = "endpoint") -> Deployment:
    return Deployment.model_validate(
        {
            "name": name,
            "pipeline_name": pipeline_name,
            "execution_rule": rule,
            "mode": "elastic",
            "description": None,
            "schedule": None if rule == "endpoint" else "0 6 * * 1",
            "inputs_mapping": [],
            "outputs_mapping": [],
            "endpoint_token_hash": None,
            "created_at": NOW,
            "created_by": "ada",
            "updated_at": NOW,
            "updated_by": "ada",
        }
    )


def pipeline_input(name: str = "x", data_type: str = "number", **given: object) -> PipelineInput:
    fields: dict[str, object] = {"description": None, "default_value": None, "is_required": False}
    return PipelineInput.model_validate(
        {"input_name": name, "step_name": "s", "data_type": data_type, **fields, **given}
    )


def pipeline_output(name: str = "y", data_type: str = "number") -> PipelineOutput:
    return PipelineOutput.model_validate(
        {"output_name": name, "step_name": "s", "data_type": data_type, "description": None}
    )


def variable(name: str = "K", sealed_value: str = SEALED) -> EnvironmentVariable:
    return EnvironmentVariable(
        name=name, sealed_value=sealed_value, created_at=NOW, created_by="ada", updated_at=NOW, updated_by="ada"
    )


def having(*resources: Step | Pipeline | Deployment | EnvironmentVariable) -> list[EventData]:
    """Return the events after which these resources exist."""
    events: list[EventData] = []
    for resource in resources:
        match resource:
            case Step():
                events.append(StepCreated(step=resource))
            case Pipeline():
                events.append(PipelineCreated(pipeline=resource))
            case Deployment():
                events.append(DeploymentCreated(deployment=resource))
            case EnvironmentVariable():
                events.append(EnvironmentVariablesSet(environment_variables=[resource], replaced=[]))
    return events


def command(data: CommandData, command_id: UUID | None = None, environment: str = ENVIRONMENT) -> Command:
    return Command(id=command_id or uuid4(), environment=environment, actor="ada", source="/tests", time=NOW, data=data)


def environment_with(history: list[EventData], *asked: CommandData) -> EnvironmentState:
    """Return the state after `history`, with everything loaded that `asked` names."""
    state, needs = EnvironmentState(), Needs()
    for data in asked:
        needs.add(data)
    for shelf, names in (
        (state.steps, needs.steps),
        (state.pipelines, needs.pipelines),
        (state.deployments, needs.deployments),
        (state.variables, needs.variables),
    ):
        for name in names:
            shelf.load(name, None)
    for event in history:
        state.sequence += 1
        evolve(state, event, state.sequence)
    return state


def decided(history: list[EventData], data: CommandData) -> list[EventData]:
    """Return what becomes so when `data` is asked after `history`."""
    return decide(environment_with(history, data), command(data))


def refused(history: list[EventData], data: CommandData) -> Refused:
    """Return the refusal of `data` after `history`; fails when it is not refused."""
    try:
        events = decided(history, data)
    except Refused as refusal:
        return refusal
    raise AssertionError(f"not refused, but: {events}")


def batch_state(history: list[EventData], *asked: CommandData) -> BatchState:
    return BatchState(environments={ENVIRONMENT: environment_with(history, *asked)})


def received(offset: int = 0, value: bytes | None = b"", partition: int = 0) -> Received:
    return Received(partition, offset, ENVIRONMENT.encode(), value, [], datetime(2026, 1, 31, 12, tzinfo=UTC))

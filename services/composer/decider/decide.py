"""The system on one screen: which rule decides which command, and what each event changes."""

from collections.abc import Callable
from typing import Any

from events.commands import (
    CommandData,
    DeploymentDeleteRequested,
    DeploymentRequested,
    EndpointTokenRequested,
    EnvironmentVariableDeleteRequested,
    EnvironmentVariablesRequested,
    PipelineDeleteRequested,
    PipelineRequested,
    StepBuildReported,
    StepDeleteRequested,
    StepRequested,
    StepUpdateRequested,
)
from events.envelope import Command
from events.results import (
    CommandRejected,
    DeploymentCreated,
    DeploymentDeleted,
    EndpointTokenRenewed,
    EnvironmentVariableDeleted,
    EnvironmentVariablesSet,
    EventData,
    PipelineCreated,
    PipelineDeleted,
    StepCreated,
    StepDeleted,
    StepFailed,
    StepReady,
    StepUpdated,
)
from services.composer.decider.deployments import delete_deployment, renew_endpoint_token, request_deployment
from services.composer.decider.pipelines import delete_pipeline, request_pipeline
from services.composer.decider.state import EnvironmentState
from services.composer.decider.steps import delete_step, report_build, request_step, update_step
from services.composer.decider.variables import delete_variable, set_variables

Rule = Callable[[EnvironmentState, Command, Any], list[EventData]]

RULES: dict[type[CommandData], Rule] = {
    StepRequested: request_step,
    StepUpdateRequested: update_step,
    StepBuildReported: report_build,
    StepDeleteRequested: delete_step,
    PipelineRequested: request_pipeline,
    PipelineDeleteRequested: delete_pipeline,
    DeploymentRequested: request_deployment,
    DeploymentDeleteRequested: delete_deployment,
    EndpointTokenRequested: renew_endpoint_token,
    EnvironmentVariablesRequested: set_variables,
    EnvironmentVariableDeleteRequested: delete_variable,
}


def decide(state: EnvironmentState, command: Command) -> list[EventData]:
    """Return what becomes so, the result last. Changes nothing. Raises Refused when the command has no effect."""
    return RULES[type(command.data)](state, command, command.data)


def evolve(state: EnvironmentState, event: EventData, version: int) -> None:
    """Change `state` by an event that has the place `version` in the environment's history."""
    match event:
        case StepCreated() | StepUpdated() | StepReady() | StepFailed():
            state.steps.put(event.step.step_name, event.step, version)
        case StepDeleted():
            state.steps.remove(event.step.step_name)
        case PipelineCreated():
            state.pipelines.put(event.pipeline.pipeline_name, event.pipeline, version)
        case PipelineDeleted():
            state.pipelines.remove(event.pipeline.pipeline_name)
        case DeploymentCreated() | EndpointTokenRenewed():
            state.deployments.put(event.deployment.name, event.deployment, version)
        case DeploymentDeleted():
            state.deployments.remove(event.deployment.name)
        case EnvironmentVariablesSet():
            _put_variables(state, event, version)
        case EnvironmentVariableDeleted():
            state.variables.remove(event.environment_variable.name)
        case CommandRejected():
            pass
        case _:
            raise TypeError(f"nobody says what {type(event).__name__} changes")


def _put_variables(state: EnvironmentState, event: EnvironmentVariablesSet, version: int) -> None:
    for variable in event.environment_variables:
        state.variables.put(variable.name, variable, version)

"""What state a command names, so that a whole batch is loaded in one round trip."""

from dataclasses import dataclass, field

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


@dataclass(slots=True)
class Needs:
    """Names to load in one environment; of `doomed` ones, which go or change, all that depends on them too."""

    steps: set[str] = field(default_factory=set)
    pipelines: set[str] = field(default_factory=set)
    deployments: set[str] = field(default_factory=set)
    variables: set[str] = field(default_factory=set)
    doomed_steps: set[str] = field(default_factory=set)
    doomed_pipelines: set[str] = field(default_factory=set)

    def add(self, data: CommandData) -> None:
        """Add what deciding `data` asks for."""
        match data:
            case StepBuildReported():
                self.steps.add(data.step_name)
            case StepRequested() | StepUpdateRequested() | StepDeleteRequested():
                self.steps.add(data.step_name)
                self.doomed_steps.add(data.step_name)
            case PipelineRequested():
                self.steps.update(data.step_names)
                self.pipelines.add(data.pipeline_name)
            case PipelineDeleteRequested():
                self.pipelines.add(data.pipeline_name)
                self.doomed_pipelines.add(data.pipeline_name)
            case DeploymentRequested():
                self.pipelines.add(data.pipeline_name)
                self.deployments.add(data.name)
                mapped = (each.environment_variable_name for each in data.inputs_mapping)
                self.variables.update(name for name in mapped if name is not None)
            case DeploymentDeleteRequested() | EndpointTokenRequested():
                self.deployments.add(data.name)
            case EnvironmentVariablesRequested():
                self.variables.update(each.name for each in data.environment_variables)
            case EnvironmentVariableDeleteRequested():
                self.variables.add(data.name)
            case _:
                raise TypeError(f"nobody says what {type(data).__name__} needs")

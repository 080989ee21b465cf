"""Commands of all kinds in one environment, good ones and such that are refused, the same ones for the same seed."""

from collections.abc import Iterator
from random import Random
from typing import Any
from uuid import UUID

from events.commands import (
    CommandData,
    DeploymentDeleteRequested,
    DeploymentRequested,
    PipelineDeleteRequested,
    PipelineRequested,
    StepBuildReported,
    StepDeleteRequested,
    StepRequested,
)
from events.envelope import Command
from tests.support.installation import command

STEPS = [f"step-{number}" for number in range(6)]
# Few names, so that many commands meet what is there, and many what is not.
PIPELINES_FOR_EACH_COMMAND = 0.02
# How often each kind comes, in a hundred.
WEIGHTS = {
    "request a pipeline": 48,
    "delete a pipeline": 16,
    "delete a pipeline by force": 12,
    "request a deployment": 10,
    "delete a deployment": 4,
    "request a step": 7,
    "delete a step": 1,
    "delete a step by force": 2,
}


def mixed_commands(number: int, seed: int, environment: str, step_body: dict[str, Any]) -> Iterator[Command]:
    """Give about `number` commands; `step_body` asks for a step but for its name.

    At the end, whatever chance did before, a pipeline is deployed, and a step was deleted by force with two others.
    """
    random = Random(seed)
    pipelines = [f"pipeline-{place}" for place in range(max(20, int(number * PIPELINES_FOR_EACH_COMMAND)))]
    for step in STEPS:
        yield from _built_step(random, environment, {**step_body, "step_name": step})
    for kind in random.choices(list(WEIGHTS), list(WEIGHTS.values()), k=number - 2 * len(STEPS)):
        step, pipeline = random.choice(STEPS), random.choice(pipelines)
        if kind == "request a step":
            yield from _built_step(random, environment, {**step_body, "step_name": step})
        else:
            yield _command(random, environment, _data(kind, step, pipeline))
    for step, names in {"kept": ["kept"], "doomed": ["doomed-1", "doomed-2"]}.items():
        yield from _built_step(random, environment, {**step_body, "step_name": step})
        for name in names:
            yield _command(random, environment, _data("request a pipeline", step, name))
    yield _command(random, environment, _data("request a deployment", "kept", "kept"))
    yield _command(random, environment, _data("delete a step by force", "doomed", "none"))


def _data(kind: str, step: str, pipeline: str) -> CommandData:
    match kind:
        case "request a pipeline":
            return PipelineRequested(pipeline_name=pipeline, step_names=[step])
        case "delete a pipeline" | "delete a pipeline by force":
            return PipelineDeleteRequested(pipeline_name=pipeline, force_deployments_deletion="force" in kind)
        case "request a deployment":
            return DeploymentRequested(name=f"of-{pipeline}", pipeline_name=pipeline, execution_rule="endpoint")
        case "delete a deployment":
            return DeploymentDeleteRequested(name=f"of-{pipeline}")
    return StepDeleteRequested(step_name=step, force_dependents_deletion="force" in kind)


def _built_step(random: Random, environment: str, body: dict[str, Any]) -> Iterator[Command]:
    """Ask for a step and report its build at once: what the builder reports later is refused as outdated."""
    asked = _command(random, environment, StepRequested.model_validate(body))
    yield asked
    report = StepBuildReported(step_name=body["step_name"], requested_by=str(asked.id), outcome="ready")
    yield _command(random, environment, report)


def _command(random: Random, environment: str, data: CommandData) -> Command:
    return command(environment, data, id=UUID(int=random.getrandbits(128), version=4))

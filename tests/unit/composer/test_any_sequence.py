"""Any sequence of commands, against a model that says in few lines what has to be so."""

from collections.abc import Iterable
from typing import Any, Literal
from uuid import UUID, uuid4

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from events.commands import (
    CommandData,
    DeploymentDeleteRequested,
    DeploymentRequested,
    EnvironmentVariableDeleteRequested,
    EnvironmentVariablesRequested,
    PipelineDeleteRequested,
    PipelineRequested,
    SealedValue,
    StepBuildReported,
    StepDeleteRequested,
    StepRequested,
    StepUpdateRequested,
)
from events.resources import Deployment, EnvironmentVariable, Pipeline, Step
from events.results import RESULTS, CommandRejected
from services.composer.batch import BatchState, Outcome
from services.composer.compose import compose, needs_of
from services.composer.decider.decide import evolve
from services.composer.decider.needs import Needs
from services.composer.decider.state import EnvironmentState, Kept
from services.composer.store import rows_of
from tests.unit.composer.world import ENVIRONMENT, SEALED, command, received

Outcomes = Literal["ready", "failed"]

KINDS: dict[str, Any] = {"step": Step, "pipeline": Pipeline, "deployment": Deployment, "variable": EnvironmentVariable}
NAMES = {
    "step": ["s0", "s1"],
    "pipeline": ["p0", "p1"],
    "deployment": ["d0", "d1"],
    "variable": ["V0", "V1"],
}
STEPS, PIPELINES, DEPLOYMENTS, VARIABLES = (st.sampled_from(names) for names in NAMES.values())
REPORTS: st.SearchStrategy[Outcomes] = st.sampled_from(("ready", "ready", "failed"))


class Model:
    """What exists, by name: a step's status and request, a pipeline's step, a deployment's pipeline."""

    def __init__(self) -> None:
        self.step: dict[str, tuple[str, UUID]] = {}
        self.pipeline: dict[str, str] = {}
        self.deployment: dict[str, str] = {}
        self.variable: dict[str, None] = {}

    def request_step(self, name: str, request: UUID) -> bool:
        allowed = name not in self.step or self.step[name][0] == "Failed"
        if allowed:
            self.step[name] = ("Pending", request)
        return allowed

    def update_step(self, name: str, request: UUID) -> bool:
        allowed = name in self.step
        if allowed:
            self.step[name] = ("Pending", request)
        return allowed

    def report(self, name: str, request: UUID, outcome: Outcomes) -> bool:
        allowed = self.step.get(name) == ("Pending", request)
        if allowed:
            self.step[name] = (outcome.capitalize(), request)
        return allowed

    def delete_step(self, name: str, force: bool) -> bool:
        users = [each for each, step in self.pipeline.items() if step == name]
        allowed = name in self.step and (force or not users)
        if allowed:
            del self.step[name]
            for each in users:
                self.delete_pipeline(each, True)
        return allowed

    def request_pipeline(self, name: str, step: str) -> bool:
        allowed = name not in self.pipeline and self.step.get(step, ("",))[0] == "Ready"
        if allowed:
            self.pipeline[name] = step
        return allowed

    def delete_pipeline(self, name: str, force: bool) -> bool:
        users = [each for each, pipeline in self.deployment.items() if pipeline == name]
        allowed = name in self.pipeline and (force or not users)
        if allowed:
            del self.pipeline[name]
            for each in users:
                del self.deployment[each]
        return allowed

    def request_deployment(self, name: str, pipeline: str) -> bool:
        allowed = name not in self.deployment and pipeline in self.pipeline
        if allowed:
            self.deployment[name] = pipeline
        return allowed


class Rows:
    """The projection as Postgres keeps it: what each batch saves, and what the next one loads."""

    def __init__(self) -> None:
        self.kept: dict[str, dict[str, Kept[Any]]] = {kind: {} for kind in KINDS}

    def save(self, outcome: Outcome) -> None:
        rows = rows_of(outcome)
        for kind, kept in self.kept.items():
            for name in rows[f"gone_{kind}_names"]:
                kept.pop(name, None)
            columns = zip(rows[f"{kind}_names"], rows[f"{kind}_bodies"], rows[f"{kind}_versions"], strict=True)
            for name, body, version in columns:
                kept[name] = Kept(KINDS[kind].model_validate_json(body), version)

    def load(self, needs: Needs, sequence: int) -> EnvironmentState:
        """Return what is named, and all that depends on what is doomed."""
        doomed = needs.doomed_pipelines | self._users("pipeline", needs.doomed_steps)
        wanted = {
            "step": needs.steps,
            "pipeline": needs.pipelines | doomed,
            "deployment": needs.deployments | self._users("deployment", doomed),
            "variable": needs.variables,
        }
        state = EnvironmentState(sequence)
        for kind, names in wanted.items():
            for name in names:
                getattr(state, f"{kind}s").load(name, self.kept[kind].get(name))
        return state

    def parents(self, kind: str) -> dict[str, str]:
        return {name: _parent(kept.resource) for name, kept in self.kept[kind].items()}

    def _users(self, kind: str, parents: set[str]) -> set[str]:
        return {name for name, parent in self.parents(kind).items() if parent in parents}


def _parent(resource: Pipeline | Deployment) -> str:
    return resource.step_names[0] if isinstance(resource, Pipeline) else resource.pipeline_name


class AnySequence(RuleBasedStateMachine):
    """Commands one after the other, each decided by the rules and by the model."""

    def __init__(self) -> None:
        super().__init__()
        self.model, self.rows = Model(), Rows()
        self.evolved = EnvironmentState()
        for kind, names in NAMES.items():
            for name in names:
                getattr(self.evolved, f"{kind}s").load(name, None)
        self.offset = 0

    @rule(name=STEPS)
    def request_step(self, name: str) -> None:
        asked = uuid4()
        data = StepRequested(step_name=name, function_path="a.py", function_name="f")
        self.expect(self.model.request_step(name, asked), data, asked)

    @rule(name=STEPS)
    def update_step(self, name: str) -> None:
        asked = uuid4()
        self.expect(
            self.model.update_step(name, asked), StepUpdateRequested(step_name=name, description="again"), asked
        )

    @rule(name=STEPS, outcome=REPORTS, is_stale=st.sampled_from((False, False, True)))
    def report(self, name: str, outcome: Outcomes, is_stale: bool) -> None:
        request = uuid4() if is_stale or name not in self.model.step else self.model.step[name][1]
        data = StepBuildReported(step_name=name, requested_by=str(request), outcome=outcome)
        self.expect(self.model.report(name, request, outcome), data)

    @rule(name=STEPS)
    def build_step(self, name: str) -> None:
        """Two at once: what needs a Ready step would seldom find one."""
        self.request_step(name)
        self.report(name, "ready", is_stale=False)

    @rule(name=STEPS, force=st.booleans())
    def delete_step(self, name: str, force: bool) -> None:
        data = StepDeleteRequested(step_name=name, force_dependents_deletion=force)
        self.expect(self.model.delete_step(name, force), data)

    @rule(name=PIPELINES, step=STEPS)
    def request_pipeline(self, name: str, step: str) -> None:
        data = PipelineRequested(pipeline_name=name, step_names=[step])
        self.expect(self.model.request_pipeline(name, step), data)

    @rule(name=PIPELINES, force=st.booleans())
    def delete_pipeline(self, name: str, force: bool) -> None:
        data = PipelineDeleteRequested(pipeline_name=name, force_deployments_deletion=force)
        self.expect(self.model.delete_pipeline(name, force), data)

    @rule(name=DEPLOYMENTS, pipeline=PIPELINES)
    def request_deployment(self, name: str, pipeline: str) -> None:
        data = DeploymentRequested(name=name, pipeline_name=pipeline, execution_rule="endpoint")
        self.expect(self.model.request_deployment(name, pipeline), data)

    @rule(name=DEPLOYMENTS, pipeline=PIPELINES, step=STEPS)
    def deploy(self, name: str, pipeline: str, step: str) -> None:
        self.build_step(step)
        self.request_pipeline(pipeline, step)
        self.request_deployment(name, pipeline)

    @rule(name=DEPLOYMENTS)
    def delete_deployment(self, name: str) -> None:
        allowed = self.model.deployment.pop(name, None) is not None
        self.expect(allowed, DeploymentDeleteRequested(name=name))

    @rule(names=st.sets(VARIABLES, min_size=1))
    def set_variables(self, names: set[str]) -> None:
        self.model.variable.update(dict.fromkeys(names))
        values = [SealedValue(name=name, sealed_value=SEALED) for name in sorted(names)]
        self.expect(True, EnvironmentVariablesRequested(environment_variables=values))

    @rule(name=VARIABLES)
    def delete_variable(self, name: str) -> None:
        allowed = name in self.model.variable
        self.model.variable.pop(name, None)
        self.expect(allowed, EnvironmentVariableDeleteRequested(name=name))

    def expect(self, is_allowed: bool, data: CommandData, command_id: UUID | None = None) -> None:
        """Have the rules decide `data` from what the rows hold; a refusal changes none of them."""
        before = {kind: dict(kept) for kind, kept in self.rows.kept.items()}
        batch = [(received(self.offset), command(data, command_id))]
        state = self.rows.load(needs_of(batch).environments[ENVIRONMENT], self.evolved.sequence)
        outcome = compose(batch, BatchState({ENVIRONMENT: state}))
        self.offset += 1
        self.rows.save(outcome)
        self.evolve(outcome)
        is_refused = outcome.events[-1].type == CommandRejected.__name__
        assert is_refused is not is_allowed, outcome.events[-1]
        assert [event.is_result for event in outcome.events] == [False] * (len(outcome.events) - 1) + [True]
        if is_refused:
            assert (self.rows.kept, len(outcome.events)) == (before, 1)

    def evolve(self, outcome: Outcome) -> None:
        """Follow the events alone, as a rebuild does."""
        for event in outcome.events:
            self.evolved.sequence += 1
            assert event.sequence == self.evolved.sequence
            evolve(self.evolved, RESULTS[event.type].model_validate_json(event.data), event.sequence)

    @invariant()
    def what_exists_is_what_the_model_says(self) -> None:
        steps = {name: (kept.resource.status.value, kept.resource.requested_by) for name, kept in self.of("step")}
        assert steps == {name: (status, str(request)) for name, (status, request) in self.model.step.items()}
        assert self.rows.parents("pipeline") == self.model.pipeline
        assert self.rows.parents("deployment") == self.model.deployment
        assert self.rows.kept["variable"].keys() == self.model.variable.keys()

    @invariant()
    def nothing_stands_on_what_is_absent(self) -> None:
        assert set(self.rows.parents("pipeline").values()) <= self.rows.kept["step"].keys()
        assert set(self.rows.parents("deployment").values()) <= self.rows.kept["pipeline"].keys()

    @invariant()
    def the_rows_are_what_the_events_tell(self) -> None:
        for kind in KINDS:
            told = dict(getattr(self.evolved, f"{kind}s").changes())
            assert {name: kept for name, kept in told.items() if kept} == self.rows.kept[kind]

    def of(self, kind: str) -> Iterable[tuple[str, Kept[Any]]]:
        return self.rows.kept[kind].items()


TestAnySequence = AnySequence.TestCase
TestAnySequence.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)

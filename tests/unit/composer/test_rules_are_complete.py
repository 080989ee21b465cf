import pytest

from events.commands import COMMANDS, CommandData, SealedValue
from events.results import RESULTS
from services.composer.decider import decide as module
from services.composer.decider.decide import RULES, evolve
from services.composer.decider.needs import Needs
from services.composer.decider.state import EnvironmentState
from tests.unit.composer.world import SEALED, step


def test_every_command_has_a_rule() -> None:
    assert set(RULES) == set(COMMANDS.values())


@pytest.mark.parametrize("model", COMMANDS.values(), ids=COMMANDS)
def test_every_command_says_what_it_needs(model: type[CommandData]) -> None:
    data = model.model_construct(
        step_name="s",
        step_names=["s"],
        pipeline_name="p",
        name="d",
        execution_rule="endpoint",
        environment_variables=[SealedValue(name="K", sealed_value=SEALED)],
    )
    needs = Needs()
    needs.add(data)
    assert needs.steps | needs.pipelines | needs.deployments | needs.variables


def test_an_unknown_event_is_a_mistake_of_ours() -> None:
    with pytest.raises(TypeError, match="nobody says"):
        evolve(EnvironmentState(), object(), 1)  # type: ignore[arg-type]


def test_every_result_type_is_named_where_events_change_state() -> None:
    assert set(RESULTS) <= set(vars(module))


def test_a_rule_cannot_look_at_what_was_not_loaded() -> None:
    with pytest.raises(KeyError):
        EnvironmentState().steps.find("never-loaded")


def test_a_resource_that_was_deleted_is_nobodys_child_any_more() -> None:
    state = EnvironmentState()
    state.steps.put("s", step(), 1)
    state.steps.remove("s")
    assert (state.steps.find("s"), state.steps.version("s"), list(state.steps.changes())) == (None, None, [("s", None)])

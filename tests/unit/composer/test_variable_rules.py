from typing import Any

import pytest

from events.commands import DeploymentRequested, EnvironmentVariableDeleteRequested, EnvironmentVariablesRequested
from events.refusals import Code
from events.results import EnvironmentVariableDeleted, EnvironmentVariablesSet
from tests.unit.composer.world import (
    NOW,
    SEALED,
    decided,
    environment_with,
    having,
    pipeline,
    pipeline_input,
    refused,
    step,
    variable,
)

OTHER = SEALED.replace("A", "B")
EARLIER = "2020-01-01T00:00:00.000Z"


def asked(*given: tuple[str, str]) -> EnvironmentVariablesRequested:
    variables: list[dict[str, Any]] = [{"name": name, "sealed_value": value} for name, value in given]
    return EnvironmentVariablesRequested.model_validate({"environment_variables": variables})


def test_variables_are_set_together() -> None:
    (event,) = decided([], asked(("A", SEALED), ("B", OTHER)))
    assert event == EnvironmentVariablesSet(environment_variables=[variable("A"), variable("B", OTHER)], replaced=[])


def test_a_variable_that_is_set_again_keeps_when_and_by_whom_it_was_made() -> None:
    there = variable("A").model_copy(update={"created_at": EARLIER, "created_by": "eve"})
    (event,) = decided(having(there), asked(("A", OTHER), ("B", SEALED)))
    assert isinstance(event, EnvironmentVariablesSet)
    assert event.replaced == ["A"]
    changed = event.environment_variables[0]
    assert (changed.created_at, changed.created_by, changed.updated_at, changed.updated_by) == (
        EARLIER,
        "eve",
        NOW,
        "ada",
    )
    assert changed.sealed_value == OTHER


@pytest.mark.parametrize("value", ["clear text", "sealed:v1:", "sealed:v1:0123abcd:clear text, really", "sealed"])
def test_a_value_that_is_not_sealed_is_refused_and_not_repeated(value: str) -> None:
    refusal = refused([], asked(("A", value)))
    assert (refusal.code, refusal.details) == (Code.VALUE_NOT_SEALED, {"environment_variable_name": "A"})
    assert value not in refusal.message.replace("is not sealed", "").replace("seals", "")


def test_a_name_that_is_given_twice_is_refused() -> None:
    refusal = refused([], asked(("A", SEALED), ("A", OTHER)))
    assert (refusal.code, refusal.details) == (Code.INVALID_BODY, {"environment_variable_name": "A"})


def test_a_variable_is_deleted() -> None:
    events = decided(having(variable("A")), EnvironmentVariableDeleteRequested(name="A"))
    assert events == [EnvironmentVariableDeleted(environment_variable=variable("A"))]


def test_the_deletion_of_an_absent_variable_is_refused() -> None:
    refusal = refused([], EnvironmentVariableDeleteRequested(name="A"))
    assert (refusal.code, refusal.details) == (
        Code.ENVIRONMENT_VARIABLE_NOT_FOUND,
        {"environment_variable_name": "A"},
    )


def test_a_variable_that_was_deleted_cannot_be_mapped_any_more() -> None:
    world = having(step(), pipeline(inputs=[pipeline_input("plan", "string")]), variable("K"))
    data = DeploymentRequested.model_validate(
        {
            "name": "d",
            "pipeline_name": "p",
            "execution_rule": "endpoint",
            "inputs_mapping": [{"pipeline_input_name": "plan", "environment_variable_name": "K"}],
        }
    )
    assert decided(world, data)
    gone = [*world, EnvironmentVariableDeleted(environment_variable=variable("K"))]
    assert refused(gone, data).code == Code.ENVIRONMENT_VARIABLE_NOT_FOUND


def test_each_variable_has_the_version_of_the_event_that_set_it() -> None:
    data = asked(("A", SEALED), ("B", SEALED))
    state = environment_with(having(variable("A"), variable("B"), variable("A", OTHER)), data)
    assert (state.variables.version("A"), state.variables.version("B")) == (3, 2)

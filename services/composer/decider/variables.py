"""The rules of environment variables. Their values stay sealed: nothing here has a key."""

from events.commands import EnvironmentVariableDeleteRequested, EnvironmentVariablesRequested, SealedValue
from events.envelope import Command
from events.names import is_sealed
from events.refusals import Code, Refused
from events.resources import EnvironmentVariable
from events.results import EnvironmentVariableDeleted, EnvironmentVariablesSet, EventData
from services.composer.decider.state import EnvironmentState


def set_variables(state: EnvironmentState, command: Command, data: EnvironmentVariablesRequested) -> list[EventData]:
    """Variables are set together, whether they exist or not."""
    names: set[str] = set()
    for given in data.environment_variables:
        _check_given(given, names)
        names.add(given.name)
    variables = [_set(state.variables.find(given.name), command, given) for given in data.environment_variables]
    replaced = [each.name for each in variables if state.variables.find(each.name) is not None]
    return [EnvironmentVariablesSet(environment_variables=variables, replaced=replaced)]


def delete_variable(state: EnvironmentState, _: Command, data: EnvironmentVariableDeleteRequested) -> list[EventData]:
    """A variable can always be deleted; a deployment that names it keeps its mapping, for when it is set again."""
    variable = state.variables.find(data.name)
    if variable is None:
        raise Refused(
            Code.ENVIRONMENT_VARIABLE_NOT_FOUND,
            f"There is no environment variable '{data.name}' in this environment. Check the name.",
            environment_variable_name=data.name,
        )
    return [EnvironmentVariableDeleted(environment_variable=variable)]


def _check_given(given: SealedValue, names: set[str]) -> None:
    if given.name in names:
        raise Refused(
            Code.INVALID_BODY,
            f"The environment variable '{given.name}' is given more than once. Keep one of its values.",
            environment_variable_name=given.name,
        )
    if not is_sealed(given.sealed_value):
        raise Refused(
            Code.VALUE_NOT_SEALED,
            f"The value of '{given.name}' is not sealed, so it is not kept. Set variables with "
            "PUT /api/v1/environment-variables: the command service seals them before they go to Kafka.",
            environment_variable_name=given.name,
        )


def _set(before: EnvironmentVariable | None, command: Command, given: SealedValue) -> EnvironmentVariable:
    return EnvironmentVariable(
        name=given.name,
        sealed_value=given.sealed_value,
        created_at=before.created_at if before else command.time,
        created_by=before.created_by if before else command.actor,
        updated_at=command.time,
        updated_by=command.actor,
    )

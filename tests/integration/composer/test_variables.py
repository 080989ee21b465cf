"""Environment variables and endpoints' tokens on real Kafka and Postgres: what is saved, and what is decided on it."""

import json
from typing import Any

from events.commands import (
    CommandData,
    DeploymentRequested,
    EndpointTokenRequested,
    EnvironmentVariableDeleteRequested,
    EnvironmentVariablesRequested,
)
from events.envelope import Command
from events.resources import InputSpec
from services.composer.service import run_composer
from services.kit.postgres import connect
from services.kit.settings import Settings
from tests.integration.composer.test_composer import create, ready_step, result_of
from tests.support.installation import Log, command, new_member
from tests.support.services import running_service

ONE, TWO = (f"sealed:v1:0123abcd:{letter * 28}" for letter in "AB")


def setting(**values: str) -> EnvironmentVariablesRequested:
    given = [{"name": name, "sealed_value": value} for name, value in values.items()]
    return EnvironmentVariablesRequested.model_validate({"environment_variables": given})


def deleting(name: str) -> EnvironmentVariableDeleteRequested:
    return EnvironmentVariableDeleteRequested(name=name)


async def kept(settings: Settings, environment: str) -> dict[str, tuple[int, str]]:
    """Return the version and the sealed value of each variable in the table."""
    connection = await connect(settings.postgres)
    try:
        rows = await connection.fetch(
            "SELECT name, version, body FROM environment_variable WHERE environment = $1", environment
        )
    finally:
        await connection.close()
    return {row["name"]: (row["version"], json.loads(row["body"])["sealed_value"]) for row in rows}


async def ask(settings: Settings, log: Log, *asked: Command) -> list[str]:
    """Send commands one right behind the other; return the types of their results."""
    await log.ask(*asked)
    return [(await result_of(settings, each)).type for each in asked]


async def test_variables_are_kept_replaced_and_deleted_over_batches(installation: Settings, log: Log) -> None:
    # Given
    environment = (await new_member(installation.postgres)).environment

    def asking(data: CommandData) -> Command:
        return command(environment, data)

    async with running_service(run_composer, installation):
        # When
        assert await ask(installation, log, asking(setting(A=ONE, B=ONE))) == ["EnvironmentVariablesSet"]
        assert await ask(installation, log, asking(setting(A=TWO))) == ["EnvironmentVariablesSet"]
        before = await kept(installation, environment)
        deleted = await ask(installation, log, asking(deleting("A")), asking(deleting("A")))
    # Then
    assert before == {"A": (2, TWO), "B": (1, ONE)}
    assert deleted == ["EnvironmentVariableDeleted", "CommandRejected"]
    assert await kept(installation, environment) == {"B": (1, ONE)}


async def test_what_one_batch_does_and_undoes_is_decided_in_order(installation: Settings, log: Log) -> None:
    # Given: all of it waits for the composer, which takes it as one batch
    environment = (await new_member(installation.postgres)).environment
    asked = [
        command(environment, data)
        for data in (setting(A=ONE), deleting("A"), deleting("A"), setting(A=TWO, B=ONE), deleting("B"))
    ]
    await log.ask(*asked)
    # When
    async with running_service(run_composer, installation):
        results = [(await result_of(installation, each)).type for each in asked]
    # Then
    assert results == [
        "EnvironmentVariablesSet",
        "EnvironmentVariableDeleted",
        "CommandRejected",
        "EnvironmentVariablesSet",
        "EnvironmentVariableDeleted",
    ]
    assert await kept(installation, environment) == {"A": (4, TWO)}


async def test_a_mapping_sees_the_variables_that_postgres_holds_and_those_of_its_batch(
    installation: Settings, log: Log
) -> None:
    # Given
    environment = (await new_member(installation.postgres)).environment
    step, report = ready_step(environment)
    step = command(
        environment, step.data.model_copy(update={"inputs": [InputSpec(name="x", data_type="string")]}), id=step.id
    )

    def endpoint(name: str, variable: str) -> Command:
        mapping = [{"pipeline_input_name": "x", "environment_variable_name": variable}]
        fields: dict[str, Any] = {"name": name, "pipeline_name": "p", "execution_rule": "endpoint"}
        return command(environment, DeploymentRequested.model_validate(fields | {"inputs_mapping": mapping}))

    async with running_service(run_composer, installation):
        await ask(installation, log, step, report, create(environment), command(environment, setting(OLD=ONE)))
        # When
        results = await ask(
            installation,
            log,
            endpoint("a", "OLD"),
            endpoint("b", "NEW"),
            command(environment, setting(NEW=ONE)),
            endpoint("b", "NEW"),
        )
    # Then
    assert results == ["DeploymentCreated", "CommandRejected", "EnvironmentVariablesSet", "DeploymentCreated"]


async def test_a_renewed_token_is_kept_with_who_renewed_it(installation: Settings, log: Log) -> None:
    # Given
    environment = (await new_member(installation.postgres)).environment
    made = DeploymentRequested(name="d", pipeline_name="p", execution_rule="endpoint", endpoint_token_hash="a" * 64)
    renewal = EndpointTokenRequested(name="d", endpoint_token_hash="b" * 64)
    # When
    async with running_service(run_composer, installation):
        await ask(installation, log, *ready_step(environment), create(environment), command(environment, made))
        renewed = await ask(installation, log, command(environment, renewal, actor="eve"))
    # Then
    assert renewed == ["EndpointTokenRenewed"]
    connection = await connect(installation.postgres)
    row = await connection.fetchrow(
        "SELECT version, body, document FROM deployment WHERE environment = $1", environment
    )
    await connection.close()
    assert row is not None
    body, document = json.loads(row["body"]), json.loads(row["document"])
    assert (row["version"], body["endpoint_token_hash"], body["updated_by"]) == (5, "b" * 64, "eve")
    assert (document["created_by"], document["updated_by"]) == ("test-producer", "eve")

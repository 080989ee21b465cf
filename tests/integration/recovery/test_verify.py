"""Verify on real Postgres: an equal projection is called equal, and each difference by its name."""

import asyncio
import json
import os
import subprocess
import sys

import pytest

from services.composer.recovery.differences import Findings
from services.composer.recovery.progress import Progress
from services.composer.recovery.verify import UnknownEnvironmentError, verify
from services.kit.postgres import connect
from services.kit.settings import Settings
from tests.support.history import new_history

KEPT_VARIABLES = ("PATH", "HOME", "LANG")


async def recovery(settings: Settings, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    environment = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
    environment |= {
        "PIPELOOM_POSTGRES__DSN": settings.postgres.dsn.get_secret_value(),
        "PIPELOOM_KAFKA__TOPIC_PREFIX": settings.kafka.topic_prefix,
    }
    return await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-W", "error", "-m", "pipeloom", *arguments],
        env=environment | variables,
        capture_output=True,
        text=True,
        timeout=120,
    )


async def execute(settings: Settings, *statements: str) -> None:
    connection = await connect(settings.postgres)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def found(settings: Settings, environment: str | None = None) -> Findings:
    return await verify(settings, environment, Progress())


async def differences(settings: Settings) -> list[str]:
    return [str(difference) for difference in (await found(settings)).differences]


async def test_what_the_composer_has_written_equals_its_replay(installation: Settings) -> None:
    # Given
    await new_history(installation, 2_500)
    await new_history(installation, 40)
    # When
    findings = await found(installation)
    # Then
    assert findings.differences == []
    assert findings.environments == 2
    assert findings.events > 2_540
    assert findings.resources > 0


async def test_a_database_in_which_nothing_happened_is_equal(installation: Settings) -> None:
    assert (await found(installation)).as_json()["equal"] is True


@pytest.mark.parametrize("column", ["body", "document", "summary", "version", "status"])
async def test_a_changed_column_is_named_with_its_resource(installation: Settings, column: str) -> None:
    # Given
    environment = await new_history(installation, 20)
    changed = "version + 1" if column == "version" else f"{column} || ' '"
    await execute(installation, f"UPDATE step SET {column} = {changed} WHERE name = (SELECT min(name) FROM step)")
    # When
    (difference,) = (await found(installation)).differences
    # Then
    assert difference.environment == environment
    assert difference.resource.startswith("steps/")
    assert difference.problem == f"differs in {column}"


async def test_a_resource_that_is_missing_or_made_up_is_named(installation: Settings) -> None:
    # Given
    environment = await new_history(installation, 7)
    await execute(
        installation,
        "DELETE FROM deployment",
        "INSERT INTO environment_variable (environment, name, version, body) "
        f"VALUES ('{environment}', 'GHOST', 1, '{{}}')",
    )
    # When
    told = await differences(installation)
    # Then
    assert len(told) == 2
    assert "is missing: the event log says that it exists" in told[0]
    assert told[1].startswith(f"{environment}: environment-variables/GHOST: should not exist")


async def test_a_resource_of_an_environment_without_any_history_is_named(installation: Settings) -> None:
    await execute(
        installation, "INSERT INTO environment_variable (environment, name, version, body) VALUES ('e', 'V', 1, '{}')"
    )
    (told,) = await differences(installation)
    assert told.startswith("e: environment-variables/V: should not exist")


async def test_a_gap_in_the_history_a_wrong_head_and_a_cursor_behind_are_named(installation: Settings) -> None:
    # Given
    environment = await new_history(installation, 12)
    await execute(
        installation,
        f"DELETE FROM event_log WHERE environment = '{environment}' AND sequence = 5",
        "UPDATE environment_head SET sequence = sequence + 3",
        "UPDATE partition_cursor SET next_offset = 4",
    )
    # When
    told = await differences(installation)
    # Then
    assert f"{environment}: history: the history has a gap: behind 4 comes 6" in told
    assert any(each.startswith(f"{environment}: head: is ") for each in told)
    assert "cursor of partition 0: it stands at 4, but offset 11 was decided" in told


async def test_inbox_rows_that_do_not_point_at_the_one_result_are_named(installation: Settings) -> None:
    # Given
    await new_history(installation, 6)
    await execute(
        installation,
        "DELETE FROM inbox WHERE log_offset = 0",
        "UPDATE inbox SET log_index = 7 WHERE log_offset = 1",
        "UPDATE inbox SET log_offset = 3 WHERE log_offset = 2",
    )
    # When
    problems = [difference.problem for difference in (await found(installation)).differences]
    # Then
    assert sorted(problems) == [
        "it has a result, but is not in the inbox",
        "it has a second result, at 0-1.0",
        "it has a second result, at 0-2.0",
        "its inbox row points at no event",
        "its inbox row points at the result of another command",
    ]


async def test_one_environment_is_verified_without_the_others(installation: Settings) -> None:
    # Given
    wrong, right = await new_history(installation, 6), await new_history(installation, 6)
    await execute(installation, f"DELETE FROM deployment WHERE environment = '{wrong}'")
    # When
    findings = await found(installation, right)
    # Then
    assert (findings.environments, findings.differences) == (1, [])
    assert (await found(installation, wrong)).differences_total == 1


async def test_an_environment_that_is_unknown_cannot_be_checked(installation: Settings) -> None:
    with pytest.raises(UnknownEnvironmentError, match="no environment 'nowhere'"):
        await found(installation, "nowhere")


async def test_what_is_decided_meanwhile_is_no_difference(installation: Settings) -> None:
    # Given
    environment = await new_history(installation, 3_000)
    # When
    findings, _ = await asyncio.gather(found(installation), new_history(installation, 1_000, environment))
    # Then
    assert findings.differences == []


async def test_the_exit_code_says_equal_different_or_not_checked(installation: Settings) -> None:
    # Given
    environment = await new_history(installation, 6)
    # When
    equal = await recovery(installation, "verify", "--output", "json")
    await execute(installation, "UPDATE pipeline SET summary = '{}'")
    different = await recovery(installation, "verify")
    unreachable = await recovery(installation, "verify", PIPELOOM_POSTGRES__DSN="postgresql://nobody@127.0.0.1:1/x")
    unknown = await recovery(installation, "verify", "--environment", "nowhere")
    # Then
    assert (equal.returncode, equal.stderr) == (0, "")
    assert json.loads(equal.stdout)["equal"] is True
    assert different.returncode == 1
    assert f"{environment}: pipelines/p-" in different.stdout
    assert "1 differences in 1 environments" in different.stdout
    assert (unreachable.returncode, unknown.returncode) == (2, 2)
    assert "Postgres cannot be used" in unreachable.stderr

"""For how long a command is known: a repeat inside the window takes no effect again, one behind it is a new command."""

from dataclasses import replace
from datetime import timedelta
from itertools import islice

import pytest

from services.composer.retention.ends import read_topic_ends, wait_until_decided
from services.composer.retention.prune import MARGIN, NotDecidedError, decided_before
from services.composer.service import run_composer
from services.kit.dead_letters import LetterId, find_letter
from services.kit.settings import Settings
from tests.integration.retention.world import KEEP_DAYS, Retention
from tests.support.history import any_commands, have_decided, new_history
from tests.support.installation import Log, new_member
from tests.support.services import running_service

DECIDED = "UPDATE inbox SET decided_at = now() - $1::interval WHERE environment = $2"
IN_LOG = "SELECT count(*) FROM event_log WHERE command_id = $1"


@pytest.mark.parametrize(
    ("age", "told"),
    [(timedelta(days=KEEP_DAYS) - timedelta(minutes=1), 1), (timedelta(days=KEEP_DAYS) + MARGIN, 2)],
)
async def test_a_repeat_inside_the_window_is_no_command_and_one_behind_it_is_a_new_one(
    retention: Retention, age: timedelta, told: int
) -> None:
    # Given
    environment = (await new_member(retention.settings.postgres)).environment
    first, *others = islice(any_commands(environment), 5)
    await have_decided(retention.settings, [first, *others])
    result = await retention.value("SELECT sequence FROM event_log WHERE command_id = $1", first.id)
    await retention.age(environment, 0)
    await retention.connection.execute(DECIDED, age, environment)
    await retention.prune()
    # When
    await have_decided(retention.settings, [first])
    # Then
    assert await retention.value(IN_LOG, first.id) == 1
    repeated = await retention.value("SELECT sequence FROM event_log WHERE command_id = $1", first.id)
    assert (repeated == result) is (told == 1)
    assert await retention.value("SELECT count(*) FROM inbox WHERE command_id = $1", first.id) == 1
    assert await retention.differences() == []


async def test_the_environments_next_to_it_keep_what_they_know_of_the_same_id(retention: Retention) -> None:
    # Given
    old = (await new_member(retention.settings.postgres)).environment
    young = (await new_member(retention.settings.postgres)).environment
    asked = list(islice(any_commands(old), 5))
    await have_decided(retention.settings, asked)
    await have_decided(retention.settings, [replace(each, environment=young) for each in asked])
    await retention.age(old)
    # When
    await retention.prune()
    # Then
    assert await retention.value("SELECT count(*) FROM inbox WHERE environment = $1", old) == 0
    assert await retention.value("SELECT count(*) FROM inbox WHERE environment = $1", young) == 5
    assert await retention.value("SELECT count(*) FROM history_horizon WHERE environment = $1", young) == 0
    assert await retention.differences() == []


async def test_the_window_is_counted_from_when_everything_in_the_topic_was_decided(
    installation: Settings, log: Log, retention: Retention
) -> None:
    # Given a topic with commands that nobody has decided, as after a backup was restored
    environment = (await new_member(installation.postgres)).environment
    await log.ask(*islice(any_commands(environment), 3))
    ends = await read_topic_ends(retention.connection, installation.kafka)
    # When
    with pytest.raises(NotDecidedError):
        await wait_until_decided(retention.connection, ends, 0.2)
    async with running_service(run_composer, installation):
        await wait_until_decided(retention.connection, ends, 20.0)
    # Then
    assert sum(ends.offsets.values()) == 3
    assert decided_before(ends, KEEP_DAYS) < await retention.value("SELECT min(decided_at) FROM inbox")


@pytest.mark.parametrize(("replayed", "outcome"), [("StepCreated", "done"), ("CommandRejected", "refused")])
async def test_a_dead_letter_remembers_what_came_of_its_replay(
    retention: Retention, replayed: str, outcome: str
) -> None:
    # Given
    environment = await new_history(retention.settings, 40)
    row = await retention.connection.fetchrow(
        "SELECT e.command_id, i.fingerprint FROM event_log e JOIN inbox i USING (environment, command_id)"
        " WHERE type = $1 AND e.is_result LIMIT 1",
        replayed,
    )
    assert row is not None
    await retention.connection.execute(
        "INSERT INTO dead_letter (partition, log_offset, environment, code, message, record_headers, received_at,"
        " status, replayed_as, replayed_content) VALUES (3, 7, $1, 'c', 'm', '[]', now(), 'replayed', $2, $3)",
        environment,
        *row,
    )
    await retention.age(environment)
    before = await find_letter(retention.connection, LetterId(3, 7), environment)
    # When
    await retention.prune()
    # Then
    after = await find_letter(retention.connection, LetterId(3, 7), environment)
    assert before
    assert after
    assert (before.replay, before.is_remembered) == (outcome, False)
    assert (after.replay, after.is_remembered) == (outcome, True)
    assert after.status == before.status

"""How Postgres finds what may go: by index, also among many events."""

import pytest

from services.composer.retention.prune import PIECE_BYTES
from services.composer.retention.store import read_oldest, read_oldest_of_each, sql
from services.kit.settings import Settings
from tests.integration.history.plans import Recorder, plan_of

BEFORE = "2026-01-01T00:00:00Z"


async def test_the_oldest_events_of_a_history_are_read_by_its_index(installation: Settings) -> None:
    recorder = Recorder()
    await read_oldest(recorder, "e3", 5, row_limit=500, byte_limit=PIECE_BYTES)  # type: ignore[arg-type]
    plan = await plan_of(installation, recorder)
    assert "Seq Scan on event_log" not in plan
    assert "event_log_history" in plan


async def test_the_oldest_event_of_each_environment_is_found_without_reading_the_others(
    installation: Settings,
) -> None:
    recorder = Recorder()
    assert [each async for each in read_oldest_of_each(recorder)] == []  # type: ignore[arg-type]
    plan = await plan_of(installation, recorder)
    assert "Seq Scan on event_log" not in plan
    assert "rows=20000.00" not in plan


@pytest.mark.parametrize("statement", ["delete_events", "delete_strays"])
def test_what_is_deleted_is_found_by_conditions_that_an_index_has(statement: str) -> None:
    text = getattr(sql, statement).sql
    assert ("environment" in text and "sequence <=" in text) or "sequence IS NULL" in text

"""Hints of commits, over a connection that may be lost."""

import asyncio

import pytest
from structlog.testing import capture_logs

from services.kit import notices
from services.kit.notices import CHANNEL, Ranges, listen
from services.kit.postgres import Connection
from services.kit.process import running
from services.kit.settings import Settings
from tests.support.services import eventually

LISTENERS = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query ~* '^\\s*LISTEN'"


async def heard(connection: Connection, payload: str, found: list[Ranges], wanted: Ranges) -> None:
    """Return once the listener has heard `payload` as `wanted`; it may have to connect first."""

    async def is_heard() -> bool:
        await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, payload)
        return wanted in found

    await eventually(is_heard, 10)


async def test_a_hint_reaches_who_listens(installation: Settings, connection: Connection) -> None:
    found: list[Ranges] = []
    async with running(listen(installation.postgres, found.append)):
        await heard(connection, '{"0":[5,9],"3":[1,1]}', found, {0: (5, 9), 3: (1, 1)})


async def test_an_empty_hint_says_that_something_was_committed(installation: Settings, connection: Connection) -> None:
    found: list[Ranges] = []
    async with running(listen(installation.postgres, found.append)):
        await heard(connection, "", found, {})


async def test_a_lost_connection_is_made_again(
    installation: Settings, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given
    monkeypatch.setattr(notices, "RECONNECT_S", 0.01)
    found: list[Ranges] = []
    async with running(listen(installation.postgres, found.append)):
        await heard(connection, '{"0":[1,1]}', found, {0: (1, 1)})
        # When
        (lost,) = await connection.fetch(LISTENERS)
        with capture_logs():
            await connection.execute("SELECT pg_terminate_backend($1)", lost["pid"])
            # Then
            await heard(connection, '{"0":[2,2]}', found, {0: (2, 2)})
        (made,) = await connection.fetch(LISTENERS)
        assert made["pid"] != lost["pid"]


async def test_a_hint_that_is_not_ours_does_no_harm(installation: Settings, connection: Connection) -> None:
    found: list[Ranges] = []
    async with running(listen(installation.postgres, found.append)):
        await heard(connection, '{"0":[1,1]}', found, {0: (1, 1)})
        await connection.execute("SELECT pg_notify($1, 'garbage')", CHANNEL)
        await heard(connection, '{"0":[2,2]}', found, {0: (2, 2)})


async def test_who_no_longer_listens_leaves_no_connection(installation: Settings, connection: Connection) -> None:
    found: list[Ranges] = []
    async with running(listen(installation.postgres, found.append)):
        await heard(connection, "", found, {})

    async def nobody_listens() -> bool:
        return not await connection.fetch(LISTENERS)

    await eventually(nobody_listens, 10)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(heard(connection, '{"0":[9,9]}', found, {0: (9, 9)}), 0.2)

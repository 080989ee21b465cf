"""What readers are told of a history whose beginning is no longer kept: never a gap without a word."""

import json
from collections.abc import AsyncIterator

import httpx
import pytest

from services.kit.postgres import open_pool
from services.kit.settings import Settings
from services.query.event_pages import EventPages, Wanted
from tests.integration.query.conftest import Feed
from tests.integration.retention.world import Retention, open_retention
from tests.support.history import new_history
from tests.support.installation import Member

HEADER = "Pipeloom-Pruned-Up-To"


@pytest.fixture
async def retention(installation: Settings) -> AsyncIterator[Retention]:
    async with open_retention(installation) as opened:
        yield opened


async def pruned(feed: Feed, retention: Retention, up_to: int) -> tuple[Member, int]:
    """Return who may read a history that was pruned up to about there, and up to where it was."""
    member = await feed.member()
    await new_history(feed.settings, 60, member.environment)
    await retention.age(member.environment, up_to)
    await retention.prune()
    query = "SELECT sequence FROM history_horizon WHERE environment = $1"
    return member, await retention.value(query, member.environment)


async def get(feed: Feed, member: Member, path: str) -> httpx.Response:
    async with httpx.AsyncClient(base_url=f"{feed.url}/api/v1", timeout=20) as http:
        answer = await http.post("/auth/refresh", json={"refresh_token": member.sdk_token})
        return await http.get(path, headers={"Authorization": f"Bearer {answer.json()['access_token']}"})


async def test_the_feed_begins_behind_the_horizon_and_says_so(feed: Feed, retention: Retention) -> None:
    member, horizon = await pruned(feed, retention, 40)
    async with feed.query(), feed.reading(member, {"from": "beginning"}) as reader:
        assert reader.response.headers[HEADER] == str(horizon)
        assert json.loads((await reader.next()).data)["sequence"] == str(horizon + 1)


async def test_a_last_event_id_before_the_horizon_is_refused(feed: Feed, retention: Retention) -> None:
    member, horizon = await pruned(feed, retention, 40)
    async with feed.query():
        async with feed.reading(member, headers={"Last-Event-ID": str(horizon - 1)}) as reader:
            assert reader.response.status_code == 410
            problem = json.loads(await reader.response.aread())
        async with feed.reading(member, headers={"Last-Event-ID": str(horizon)}) as reader:
            assert reader.response.status_code == 200
    assert problem["name"] == "history_pruned"
    assert problem["additional_data"]["pruned_up_to"] == horizon


async def test_a_reader_whose_next_events_are_pruned_meanwhile_is_told(feed: Feed, retention: Retention) -> None:
    # Given
    member, horizon = await pruned(feed, retention, 20)
    async with open_pool(feed.settings.postgres) as pool:
        pages = EventPages(pool)
        wanted = Wanted(member.environment, None, "", None)
        # When
        whole = await pages.behind(wanted, horizon)
        behind = await pages.behind(wanted, horizon - 3)
    # Then
    assert whole
    assert not whole.has_gap
    assert behind
    assert behind.has_gap


async def test_histories_and_lists_say_that_they_begin_later(feed: Feed, retention: Retention) -> None:
    # Given
    member, horizon = await pruned(feed, retention, 10**6)
    name = await retention.value("SELECT min(name) FROM step WHERE environment = $1", member.environment)
    async with feed.query():
        # When
        history = await get(feed, member, f"/steps/{name}/history")
        unknown = await get(feed, member, "/steps/none/history")
        commands = await get(feed, member, "/commands")
    # Then
    assert (history.status_code, history.json(), history.headers[HEADER]) == (200, [], str(horizon))
    assert (commands.json(), commands.headers[HEADER]) == ([], str(horizon))
    assert unknown.status_code == 404
    assert f"since event {horizon}" in unknown.json()["message"]


async def test_a_command_that_is_no_longer_kept_is_unknown_and_so_it_is_told(feed: Feed, retention: Retention) -> None:
    member = await feed.member()
    await new_history(feed.settings, 10, member.environment)
    command_id = await retention.value("SELECT command_id FROM inbox LIMIT 1")
    await retention.age(member.environment)
    await retention.prune()
    async with feed.query():
        told = await get(feed, member, f"/commands/{command_id}")
    assert (told.status_code, told.json()["status"]) == (202, "unknown")
    assert "no longer kept" in told.json()["message"]


async def test_an_environment_that_was_not_pruned_is_told_nothing_of_it(feed: Feed, retention: Retention) -> None:
    await pruned(feed, retention, 40)
    member = await feed.member()
    await new_history(feed.settings, 20, member.environment)
    async with feed.query(), feed.reading(member, {"from": "beginning"}) as reader:
        assert HEADER not in reader.response.headers
        commands = await get(feed, member, "/commands")
    assert HEADER not in commands.headers

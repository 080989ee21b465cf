"""A name that is slow to resolve holds up its own environment at most."""

import asyncio
from collections.abc import Iterator
from ipaddress import ip_address

import pytest

from services.webhooks.resolving import NoPlaceError, Resolver
from tests.support.names import SlowNames
from tests.support.services import eventually

SOON_S, LONG_S = 0.05, 10.0
FOUND = [ip_address("127.0.0.1")]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlowNames]:
    slow = SlowNames(monkeypatch)
    yield slow
    slow.answer()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433"])
async def test_an_address_is_its_own_answer_though_no_place_is_free(host: str) -> None:
    found = await Resolver(most=0).begin(host, "a", SOON_S)
    assert await found == FOUND


async def test_a_name_is_looked_up_beside_the_loop(names: SlowNames) -> None:
    found = await Resolver().begin("hooks.slow", "a", SOON_S)
    assert not found.done()
    names.answer()
    assert await found == FOUND
    assert names.asked == ["hooks.slow"]


async def test_an_environment_has_no_more_lookups_than_its_share_and_others_go_on(names: SlowNames) -> None:
    resolver = Resolver(most=4, most_each=2)
    ours = [await resolver.begin("ours.slow", "a", SOON_S) for _ in range(2)]
    with pytest.raises(NoPlaceError):
        await resolver.begin("ours.slow", "a", SOON_S)
    theirs = await resolver.begin("theirs.slow", "b", SOON_S)
    names.answer()
    assert [await found for found in (*ours, theirs)] == [FOUND] * 3
    assert await (await resolver.begin("ours.slow", "a", SOON_S)) == FOUND


async def test_a_lookup_that_was_given_up_keeps_its_place_until_its_thread_ends(names: SlowNames) -> None:
    # Given
    resolver = Resolver(most=1)
    found = await resolver.begin("hooks.slow", "a", SOON_S)
    await eventually(lambda: names.asked == ["hooks.slow"])
    found.cancel()
    with pytest.raises(NoPlaceError):
        await resolver.begin("hooks.slow", "b", SOON_S)
    # When
    waiting = asyncio.ensure_future(resolver.begin("hooks.slow", "b", LONG_S))
    names.answer()
    # Then
    assert await (await waiting) == FOUND


@pytest.mark.parametrize("host", ["a" * 64 + ".example", "no name at all"])
async def test_a_name_that_cannot_be_is_told(host: str) -> None:
    resolver = Resolver(most=1)
    for _ in range(2):
        found = await resolver.begin(host, "a", LONG_S)
        with pytest.raises((OSError, ValueError)):
            await found

"""Those who follow environments."""

import pytest

from events.refusals import Code, Refused
from services.kit.watchers import Watchers


async def test_news_wake_those_who_follow_that_environment() -> None:
    watchers = Watchers()
    with watchers.watching("lab", 3) as one, watchers.watching("lab", 3) as two, watchers.watching("shop", 3) as other:
        watchers.wake("lab")
        assert (one.is_set(), two.is_set(), other.is_set()) == (True, True, False)


async def test_the_end_wakes_all() -> None:
    watchers = Watchers()
    with watchers.watching("lab", 2) as one, watchers.watching("shop", 2) as other:
        watchers.end()
        watchers.end()
        assert (one.is_set(), other.is_set(), watchers.ended.done()) == (True, True, True)


async def test_more_than_are_allowed_are_refused_until_one_leaves() -> None:
    watchers = Watchers()
    with watchers.watching("lab", 1):
        with pytest.raises(Refused) as caught, watchers.watching("shop", 1):
            pass
        assert (caught.value.code, caught.value.details) == (Code.TOO_MANY_STREAMS, {"limit": 1})
    with watchers.watching("shop", 1):
        assert list(watchers.environments) == ["shop"]
    assert not watchers.environments

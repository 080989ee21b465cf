"""Those who follow environments."""

from services.kit.watchers import Watchers


async def test_news_wake_those_who_follow_that_environment() -> None:
    watchers = Watchers()
    with watchers.watching("lab") as one, watchers.watching("lab") as two, watchers.watching("shop") as other:
        watchers.wake("lab")
        assert (one.is_set(), two.is_set(), other.is_set()) == (True, True, False)


async def test_the_end_wakes_all() -> None:
    watchers = Watchers()
    with watchers.watching("lab") as one, watchers.watching("shop") as other:
        watchers.end()
        watchers.end()
        assert (one.is_set(), other.is_set(), watchers.ended.done()) == (True, True, True)


async def test_an_environment_is_followed_as_long_as_somebody_follows_it() -> None:
    watchers = Watchers()
    with watchers.watching("shop"):
        with watchers.watching("shop"):
            pass
        assert list(watchers.environments) == ["shop"]
    assert not watchers.environments

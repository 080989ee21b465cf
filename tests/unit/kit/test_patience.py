"""How long a request may take."""

import asyncio

import pytest

from services.kit.patience import Ending, Patience


async def news() -> "asyncio.Future[str]":
    return asyncio.get_running_loop().create_future()


@pytest.mark.parametrize("ending", [None, Ending()], ids=["for itself", "of a process"])
async def test_news_end_the_wait(ending: Ending | None) -> None:
    patience, told = Patience(30, ending), await news()
    asyncio.get_running_loop().call_soon(told.set_result, "it is so")
    assert await asyncio.wait_for(patience.wait(told), 3)
    assert (told.result(), patience.is_over) == ("it is so", False)


@pytest.mark.parametrize(("within_s", "at_most_s"), [(0.01, None), (30, 0.01), (0, None)])
async def test_a_wait_ends_without_news_and_leaves_them_to_come(within_s: float, at_most_s: float | None) -> None:
    told = await news()
    assert not await asyncio.wait_for(Patience(within_s).wait(told, at_most_s), 3)
    assert not told.cancelled()


async def test_the_time_is_one_for_all_waits_of_a_request() -> None:
    patience = Patience(0.02)
    await patience.wait(await news())
    assert (patience.left_s, patience.is_over, patience.is_cut_short) == (0, True, False)


async def test_the_end_of_the_process_ends_every_wait() -> None:
    ending, told = Ending(), await news()
    patience = Patience(30, ending)
    asyncio.get_running_loop().call_soon(ending.set)
    assert not await asyncio.wait_for(patience.wait(told), 3)
    assert (patience.is_over, patience.is_cut_short) == (True, True)


async def test_a_wait_that_begins_when_the_process_ends_is_none() -> None:
    ending, told = Ending(), await news()
    ending.set()
    assert not await asyncio.wait_for(Patience(30, ending).wait(told), 3)
    told.set_result("it came in time")
    assert await asyncio.wait_for(Patience(30, ending).wait(told), 3)

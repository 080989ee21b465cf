"""`pipeloom demo`: a story that is wrong anywhere says so and ends with 1."""

import asyncio
import io
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from dulwich.repo import Repo
from rich.console import Console

from pipeloom import AsyncClient
from pipeloom.demo.feed import Feed
from pipeloom.demo.interruption import Interruption
from pipeloom.demo.narrator import Narrator, StoryFailedError
from pipeloom.demo.source import FUNCTION_PATH, make_repository
from pipeloom.demo.story import Story


class SilentFeed:
    """A feed on which nothing ever comes."""

    async def results(self, number: int, within_s: float) -> list[Any]:
        return []


def story_with(handle: Callable[[httpx.Request], httpx.Response], folder: Path, output: io.StringIO) -> Story:
    client = AsyncClient("http://pipeloom.test", "token", transport=httpx.MockTransport(handle))
    return Story(client, cast("Feed", SilentFeed()), Narrator(Console(file=output)), folder, "m4rk")


def step_of_commit(commit: str, folder: Path) -> Callable[[httpx.Request], httpx.Response]:
    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/refresh"):
            return httpx.Response(200, json={"access_token": "a.b.c"})
        made = Repo(str(folder)).head().decode() if commit == "the one made" else commit
        return httpx.Response(206, json={"creation_info": {"status": "Ready", "commit_id": made}})

    return handle


async def test_a_wrong_answer_ends_the_story_with_what_was_expected_and_what_came(tmp_path: Path) -> None:
    story = story_with(step_of_commit("another", tmp_path), tmp_path, io.StringIO())

    with pytest.raises(StoryFailedError, match="the commit that was made") as caught:
        await story.tell()

    assert caught.value.came == "another"


async def test_an_event_that_never_comes_ends_the_story(tmp_path: Path) -> None:
    output = io.StringIO()
    story = story_with(step_of_commit("the one made", tmp_path), tmp_path, output)

    with pytest.raises(StoryFailedError, match="a consumer reads StepCreated and StepReady") as caught:
        await story.tell()

    assert caught.value.came == []
    assert "the step is Ready" in output.getvalue()


def test_a_failure_is_told_with_what_was_expected_and_what_came() -> None:
    output = io.StringIO()
    Narrator(Console(file=output)).failed(StoryFailedError("the step is Ready", "Ready", "Pending"))
    assert [line.split("|")[1].strip() for line in output.getvalue().splitlines()] == [
        "the step is Ready",
        "expected: Ready",
        "came:     Pending",
    ]


def test_a_service_that_is_not_there_ends_the_demo_with_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = [sys.executable, "-m", "pipeloom", "demo", "--url", "http://127.0.0.1:1", "--data-dir", str(tmp_path)]
    monkeypatch.setenv("PIPELOOM_SDK_TOKEN", "token")

    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)

    assert ended.returncode == 1
    assert "Nobody answers at http://127.0.0.1:1" in ended.stdout
    assert ended.stderr == ""


def test_the_repository_holds_the_code_at_the_commit_that_is_told(tmp_path: Path) -> None:
    for _ in range(2):
        commit = make_repository(tmp_path / "source")
    with Repo(str(tmp_path / "source")) as repository:
        assert repository.head().decode() == commit
        assert FUNCTION_PATH.encode() in repository.open_index()


async def test_a_signal_ends_the_story_in_order() -> None:
    story = asyncio.create_task(asyncio.Event().wait())
    interruption = Interruption(story)

    os.kill(os.getpid(), signal.SIGHUP)

    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(story, 5)
    assert interruption.signal is signal.SIGHUP

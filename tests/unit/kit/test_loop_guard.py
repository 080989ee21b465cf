"""Processes that end themselves: because their loop stands still, or because their work does."""

import os
import signal
import subprocess
import sys
import time

import pytest

from services.kit.loop_guard import BLOCKED
from services.kit.process import HELD_UP

SETTINGS = {"PIPELOOM_WATCHDOG__BLOCKED_AFTER_S": "0.5", "PIPELOOM_HEALTH__PORT": "0"}
SERVICE = """
import asyncio, re, sys, threading, time
from services.kit import process
from services.kit.process import run_service

def stand_still(): time.sleep(60)

async def blocked(settings, health, stop): stand_still()

async def without_python(settings, health, stop): re.match("(a+)+b", "a" * 60)

async def turning(settings, health, stop):
    print("turning", flush=True)
    await stop.wait()

async def gives_up(settings, health, stop):
    health.give_up("nothing moved")
    await stop.wait()

async def gives_up_and_hangs(settings, health, stop):
    process.GIVE_UP_WITHIN_S = 0.5
    threading.Thread(target=time.sleep, args=[60]).start()
    health.give_up("nothing moved")
    await stop.wait()

async def gives_up_and_breaks(settings, health, stop):
    health.give_up("nothing moved")
    raise KeyError("of the end")

run_service("stand-in", globals()[sys.argv[1]])
"""


def ended(main: str, **more: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", SERVICE, main]
    environment = {**os.environ, **SETTINGS, **more}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=False)


def test_a_process_whose_loop_is_blocked_ends_itself_and_shows_where() -> None:
    end = ended("blocked")
    assert end.returncode == BLOCKED
    assert "in stand_still" in end.stderr
    assert end.stderr.splitlines()[-1].startswith("pipeloom stand-in: ended, since its event loop has stood still for")


def test_a_process_that_runs_no_python_any_more_is_ended_all_the_same() -> None:
    end = ended("without_python", PIPELOOM_WATCHDOG__BLOCKED_AFTER_S="0.3")
    assert end.returncode == 1
    assert "Timeout (0:00:01.500000)!" in end.stderr
    assert "in without_python" in end.stderr


def test_a_process_that_was_paused_for_longer_is_not_ended_for_it() -> None:
    command = [sys.executable, "-c", SERVICE, "turning"]
    with subprocess.Popen(
        command, env={**os.environ, **SETTINGS}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "turning\n"
        process.send_signal(signal.SIGSTOP)
        time.sleep(1.5)  # the pause itself is what is tried
        process.send_signal(signal.SIGCONT)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(1)
        process.terminate()
        assert process.wait(10) == 0


@pytest.mark.parametrize("main", ["gives_up", "gives_up_and_hangs", "gives_up_and_breaks"])
def test_a_process_that_gives_up_says_why_last_and_ends_with_a_code_of_its_own(main: str) -> None:
    end = ended(main)
    assert end.returncode == HELD_UP
    assert end.stderr.splitlines()[-1].startswith("pipeloom stand-in: nothing moved")
    assert "gives up, to be started again" in end.stderr

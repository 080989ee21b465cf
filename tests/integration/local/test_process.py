"""What becomes of a child process, and of its own children, in each way that a life can end."""

import asyncio
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from pipeloom.local.errors import EndedEarlyError, StartError
from pipeloom.local.process import Command, ManagedProcess, output_of, run_to_end

Until = Callable[..., Awaitable[None]]
Alive = Callable[[int], bool]

PARENT_OF_A_SLEEPER = "import subprocess; print(subprocess.Popen(['sleep', '600']).pid, flush=True); {}"


def python(tmp_path: Path, code: str) -> Command:
    return Command("child", [sys.executable, "-c", code], tmp_path / "child.log")


async def spawn_with_sleeper(tmp_path: Path, then: str, until: Until) -> tuple[ManagedProcess, int]:
    process = await ManagedProcess.spawn(python(tmp_path, PARENT_OF_A_SLEEPER.format(then)))
    await until(lambda: process.command.log_file.read_text().endswith("\n"))
    return process, int(process.command.log_file.read_text())


async def test_a_stop_ends_the_process_and_what_it_left_behind(tmp_path: Path, until: Until, alive: Alive) -> None:
    process, sleeper = await spawn_with_sleeper(tmp_path, "import time; time.sleep(600)", until)

    await process.stop(grace=5)

    assert process.returncode == -signal.SIGTERM
    await until(lambda: not alive(sleeper))


async def test_a_process_that_ignores_the_request_is_killed_when_its_grace_is_over(
    tmp_path: Path, until: Until, alive: Alive
) -> None:
    deaf = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
    )
    process = await ManagedProcess.spawn(python(tmp_path, deaf))
    await until(lambda: "deaf" in process.command.log_file.read_text())

    begin = time.monotonic()
    await process.stop(grace=0.3)

    assert process.returncode == -signal.SIGKILL
    assert 0.3 <= time.monotonic() - begin < 3


async def test_a_process_that_already_ended_still_has_its_children_collected(
    tmp_path: Path, until: Until, alive: Alive
) -> None:
    process, sleeper = await spawn_with_sleeper(tmp_path, "raise SystemExit(3)", until)

    assert await process.wait() == 3
    await process.stop(grace=5)

    await until(lambda: not alive(sleeper))


async def test_an_early_end_is_refused_with_the_last_lines_of_the_log(tmp_path: Path) -> None:
    process = await ManagedProcess.spawn(python(tmp_path, "import sys; print('the reason'); sys.exit(7)"))

    async def never() -> bool:
        return False

    with pytest.raises(
        EndedEarlyError, match=r"(?s)child ended with code 7 before it was ready.*child\.log.*the reason"
    ):
        await process.wait_until(never, within=10)
    await process.kill()


async def test_a_silent_process_is_refused_when_the_time_is_over(tmp_path: Path) -> None:
    process = await ManagedProcess.spawn(python(tmp_path, "import time; time.sleep(600)"))

    async def never() -> bool:
        return False

    with pytest.raises(StartError, match="child was not ready after 0 s"):
        await process.wait_until(never, within=0.2)
    await process.kill()


async def test_a_cancelled_run_leaves_no_process(tmp_path: Path, until: Until, alive: Alive) -> None:
    code = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
    running = asyncio.create_task(run_to_end(python(tmp_path, code), within=60))
    log = tmp_path / "child.log"
    await until(lambda: log.exists() and log.read_text().endswith("\n"))

    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert not alive(int(log.read_text()))


async def test_an_output_is_returned_and_stays_out_of_the_log(tmp_path: Path) -> None:
    code = "import sys; print('the secret'); print('a warning', file=sys.stderr)"

    assert await output_of(python(tmp_path, code), within=10) == "the secret\n"
    assert (tmp_path / "child.log").read_text() == "a warning\n"


async def test_a_failed_step_is_refused_with_its_own_words(tmp_path: Path) -> None:
    with pytest.raises(EndedEarlyError, match=r"(?s)child failed with code 1.*no such table"):
        await output_of(python(tmp_path, "import sys; sys.exit('no such table')"), within=10)


async def test_a_program_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    command = Command("child", ["/no/such/program"], tmp_path / "child.log")

    with pytest.raises(EndedEarlyError, match="/no/such/program"):
        await run_to_end(command, within=10)


OWNER = """
import asyncio, sys, pathlib
from pipeloom.local.process import Command, ManagedProcess

async def main():
    child = await ManagedProcess.spawn(Command("child", ["sleep", "600"], pathlib.Path(sys.argv[1])))
    print(child.pid, flush=True)
    await child.wait()

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's death")
async def test_a_child_does_not_outlive_an_owner_that_is_killed(tmp_path: Path, until: Until, alive: Alive) -> None:
    command = [sys.executable, "-c", OWNER, str(tmp_path / "child.log")]
    owner = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert owner.stdout is not None
    child = int(await asyncio.wait_for(owner.stdout.readline(), 10))
    assert alive(child)

    owner.kill()
    await asyncio.wait_for(owner.communicate(), 10)

    await until(lambda: not alive(child))

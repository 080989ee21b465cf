import asyncio
import time

import pytest

from pipeloom.local.errors import StartError
from pipeloom.local.progress import Progress
from pipeloom.local.supervisor import Supervisor, describe_exit
from services.kit.process import DRAIN_S


class Notes:
    """Hears everything."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.first_line = asyncio.Event()

    def say(self, part: str, message: str) -> None:
        self.lines.append(f"{part}: {message}")
        self.first_line.set()

    def advance(self, part: str, done: int, total: int) -> None:
        raise AssertionError("nothing is counted here")


class FakeChild:
    """A child that dies, and fails to start, when the test says so."""

    def __init__(self, name: str, journal: list[str]) -> None:
        self.name = name
        self.starts = 0
        self.said: str | None = None
        self.started_again = asyncio.Event()
        self.failures: list[Exception] = []
        self.stop_failure: Exception | None = None
        self.uses_all_of_its_time = False
        self._journal = journal
        self._exit: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def start(self, report: Progress) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self._exit = asyncio.get_running_loop().create_future()
        self.starts += 1
        if self.starts > 1:
            self.started_again.set()

    async def wait(self) -> int:
        return await asyncio.shield(self._exit)

    def reason(self) -> str | None:
        return self.said

    async def stop(self, grace: float) -> None:
        self._journal.append(f"{self.name} {grace:.1f}")
        if self.uses_all_of_its_time:
            await asyncio.sleep(grace)
        if self.stop_failure is not None:
            raise self.stop_failure

    def die(self, code: int) -> None:
        self._exit.set_result(code)


async def test_a_child_that_dies_is_started_again_and_said_so() -> None:
    notes, child = Notes(), FakeChild("relay", [])
    supervisor = Supervisor(notes)
    await supervisor.start([child])

    child.die(-9)
    await asyncio.wait_for(child.started_again.wait(), 5)

    assert notes.lines == ["relay: was ended by SIGKILL; starting again in 0.2 s"]
    await supervisor.stop(5)


async def test_a_child_that_said_why_it_ends_itself_is_quoted() -> None:
    notes, child = Notes(), FakeChild("composer", [])
    supervisor = Supervisor(notes)
    await supervisor.start([child])
    child.said = "ended by its watchdog: commands in partition 3"

    child.die(75)
    await asyncio.wait_for(child.started_again.wait(), 5)

    assert notes.lines == [
        "composer: ended with code 75: ended by its watchdog: commands in partition 3; starting again in 0.2 s"
    ]
    await supervisor.stop(5)


async def test_a_child_that_cannot_start_again_is_tried_until_it_can() -> None:
    notes, child = Notes(), FakeChild("kafka", [])
    supervisor = Supervisor(notes)
    await supervisor.start([child])
    child.failures = [StartError("port in use"), OSError("no memory")]

    child.die(1)
    await asyncio.wait_for(child.started_again.wait(), 5)

    assert notes.lines == [
        "kafka: ended with code 1; starting again in 0.2 s",
        "kafka: port in use\ntrying again in 0.4 s",
        "kafka: no memory\ntrying again in 0.8 s",
    ]
    await supervisor.stop(5)


async def test_a_child_that_nobody_waits_for_is_tried_until_it_starts_and_stopped_with_the_last_batch() -> None:
    journal: list[str] = []
    notes, child = Notes(), FakeChild("monitor", journal)
    child.failures = [StartError("not ready")]
    supervisor = Supervisor(notes)
    await supervisor.start([FakeChild("relay", journal)], [FakeChild("gateway", journal)])

    supervisor.start_later([child])
    assert child.starts == 0
    await asyncio.wait_for(notes.first_line.wait(), 5)
    async with asyncio.timeout(5):
        while not child.starts:  # noqa: ASYNC110 - it says nothing when it has started
            await asyncio.sleep(0.01)
    child.die(1)
    await asyncio.wait_for(child.started_again.wait(), 5)

    assert notes.lines[0] == "monitor: not ready\ntrying again in 0.2 s"
    await supervisor.stop(5)
    assert [line.split()[0] for line in journal] == ["gateway", "monitor", "relay"]


async def test_the_last_batch_is_stopped_first_and_what_it_leaves_of_the_time_goes_to_the_next() -> None:
    journal: list[str] = []
    supervisor = Supervisor(Notes())
    await supervisor.start([FakeChild("kafka", journal), FakeChild("postgres", journal)])
    await supervisor.start([FakeChild("composer", journal)], [FakeChild("gateway", journal)])

    await supervisor.stop(15)

    assert [line.split()[0] for line in journal] == ["gateway", "composer", "kafka", "postgres"]
    assert [float(line.split()[1]) for line in journal] == pytest.approx([9.2, 11.1, 13.1, 13.1], abs=0.2)


async def test_the_gateway_has_time_to_drain_and_those_who_need_all_of_their_time_end_within_the_whole() -> None:
    journal: list[str] = []
    supervisor, slow = Supervisor(Notes()), [FakeChild(name, journal) for name in ("kafka", "composer", "gateway")]
    for child in slow:
        child.uses_all_of_its_time = True
        await supervisor.start([child])
    begun = time.monotonic()

    await supervisor.stop(1.5)

    assert time.monotonic() - begun < 1.5
    gateway, composer, kafka = (float(line.split()[1]) for line in journal)
    assert gateway * 10 > DRAIN_S  # of the 15 s that `up` takes
    assert min(composer, kafka) >= 0.1


async def test_a_child_that_cannot_be_stopped_does_not_keep_the_others_running() -> None:
    journal: list[str] = []
    supervisor, stubborn = Supervisor(Notes()), FakeChild("gateway", journal)
    await supervisor.start([FakeChild("kafka", journal)], [stubborn])
    stubborn.stop_failure = TimeoutError("not collected")

    with pytest.raises(TimeoutError, match="not collected"):
        await supervisor.stop(10)

    assert [line.split()[0] for line in journal] == ["gateway", "kafka"]


async def test_the_first_start_fails_with_the_childs_own_reason() -> None:
    supervisor, child = Supervisor(Notes()), FakeChild("init", [])
    child.failures = [StartError("no tables")]

    with pytest.raises(StartError, match="no tables"):
        await supervisor.start([child])

    await supervisor.stop(1)


async def test_nothing_is_started_again_once_it_is_stopping() -> None:
    notes, child = Notes(), FakeChild("relay", [])
    supervisor = Supervisor(notes)
    await supervisor.start([child])
    child.die(0)
    await asyncio.wait_for(notes.first_line.wait(), 5)

    await supervisor.stop(5)

    assert child.starts == 1
    assert not any(task.get_name() == "keep relay" for task in asyncio.all_tasks())


async def test_a_defect_of_the_supervision_comes_out_where_it_is_watched() -> None:
    supervisor, child = Supervisor(Notes()), FakeChild("relay", [])
    await supervisor.start([child])
    child.failures = [ZeroDivisionError("a defect")]

    child.die(1)

    with pytest.raises(ZeroDivisionError, match="a defect"):
        await asyncio.wait_for(supervisor.watch(), 5)
    await supervisor.stop(1)


@pytest.mark.parametrize(
    ("code", "words"), [(0, "ended with code 0"), (-15, "was ended by SIGTERM"), (-250, "ended with code -250")]
)
def test_an_exit_is_described_in_words(code: int, words: str) -> None:
    assert describe_exit(code) == words
